"""References that no search answered, found in written resources."""

import json

from hypothesis import given
from hypothesis import strategies as st

from plugin.pull.references import dangling

BASE = "https://ehr.example/fhir"
TEXT = st.sampled_from(
    [
        "Lesion/1",
        "BodyStructure/b1",
        "ImagingStudy/s1/_history/3",
        f"{BASE}/Medication/m1",
        "ImagingSelection/i1",
        "https://other.example/BodyStructure/b2",
        'quoted "reference":"BodyStructure/b3"',
        "BodyStructure/b\\4",
        '"reference":"BodyStructure/b5"',
    ]
)
VALUE = st.recursive(
    TEXT | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["reference", "display", "focus"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def walked(value: object) -> set[str]:
    """Every text of a member called reference, by looking at each element."""
    if isinstance(value, list):
        return {url for item in value for url in walked(item)}
    if not isinstance(value, dict):
        return set()
    own = value.get("reference")
    found = {own} if isinstance(own, str) else set()
    return found | {url for item in value.values() for url in walked(item)}


@given(st.dictionaries(st.sampled_from(["focus", "partOf"]), VALUE, max_size=2))
def test_what_is_found_in_writing_is_what_the_elements_hold(extra: dict[str, object]) -> None:
    resource = {"resourceType": "Observation", "id": "o1", **extra}
    kinds = ("BodyStructure/", "ImagingStudy/", "Medication/", "ImagingSelection/")
    wanted = set()
    for url in walked(resource):
        own = url.removeprefix(f"{BASE}/").removesuffix("/_history/3")
        if own.startswith(kinds) and "\\" not in own and '"' not in own:
            wanted.add(own)
    assert set(dangling([resource], BASE)) == wanted


def test_selections_of_images_come_last() -> None:
    links = [{"reference": name} for name in ("ImagingSelection/a", "Medication/m", "BodyStructure/b")]
    found = dangling([{"resourceType": "Observation", "id": "o1", "derivedFrom": links}], BASE)
    assert found == ("BodyStructure/b", "Medication/m", "ImagingSelection/a")


def test_what_is_held_is_not_lacking() -> None:
    held = {"resourceType": "BodyStructure", "id": "b1"}
    asking = json.loads(
        '{"resourceType": "Observation", "id": "o1", "focus": [{"reference": "BodyStructure/b1"}]}'
    )
    assert dangling([held, asking], None) == ()
    assert dangling([asking], None) == ("BodyStructure/b1",)
