"""The scopes: those of the searches, in both spellings; what lets a reading be stored."""

import pytest

from cds_hooks.timeline_page.scopes import may_write, read_scopes, write_scopes
from plugin.pull.queries import QUERIES


@pytest.mark.parametrize(("v1", "may"), [(False, "rs"), (True, "read")])
def test_the_scopes_are_those_of_the_searches(v1: bool, may: str) -> None:
    asked = set(read_scopes(v1=v1, launched=True))
    kinds = {query.resource for query in QUERIES} | {"Medication"}
    assert asked == {"openid", "fhirUser", "launch", *(f"patient/{kind}.{may}" for kind in kinds)}


def test_what_was_asked_for_to_read_does_not_let_anything_be_stored() -> None:
    for v1 in (False, True):
        assert not may_write(read_scopes(v1=v1, launched=True))
        assert may_write([*read_scopes(v1=v1, launched=False), *write_scopes(v1=v1)])


@pytest.mark.parametrize(
    ("granted", "may"),
    [
        (["patient/Observation.c"], False),
        (["patient/Observation.c", "patient/Provenance.c"], True),
        (["patient/Observation.cruds", "user/Provenance.cu"], True),
        (["patient/*.write"], True),
        (["patient/*.*"], True),
        (["patient/*.rs"], False),
        (["patient/Observation.rus", "patient/Provenance.rus"], False),
        (["patient/Observation.c?category=imaging", "patient/Provenance.c"], True),
        (["system/*.c"], False),
        (["Observation.c", "Provenance.c"], False),
        ([], False),
    ],
)
def test_who_may_write(granted: list[str], may: bool) -> None:
    assert may_write(granted) is may
