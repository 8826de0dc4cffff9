"""The suppression matrix as data: it is the one written here, has no circle, and never leaves a hook silent."""

from __future__ import annotations

import pytest

from rules.language import load_pack

PACK = load_pack()

COLUMNS = "DA-01 DA-02 DA-03 DA-04 DA-05 DA-06 DA-08 DA-09 DA-10 DA-11 DA-12 DA-14 DA-16 DA-17 DA-19 PT-03 DC-01 DC-03"
# DA-13 has the column of DA-12; it is about the patient, so what merges it does so wherever both speak.
# H hides, M merges, R reduces to a row, P strips figures; small letters: wherever both speak, not on one lesion only.
ROWS = """
DA-04  H M M - H H H H H - H - H H H - - M
DA-02  H - - - H H H H H - H - H M H - - M
DA-10  M - M - - H M H - m - - H - H - - M
DA-03  M - - - M M M H - - - M - - H - - M
DA-08  - - - - M H - M - - - - - - H - - -
DA-05  - - - - - H - - - - - - H - H - - -
DA-14  - - - - H R - - - - - - - - - - - -
DA-07  - - - - - - - H - - M - M - H - - -
DA-07u - - - - - - - H - - M - M - H - - -
DA-09  - - - - - - - - - m M - M - H - - -
DA-11  - - - - - - - - - - - - - - h h - -
DA-15  h r - - h h h h r h h h h r h h - -
DA-18  m r p p h h h h r r h - r r h - - -
DC-14  r r - - h h h h r m h - r r h m - -
TP-01  r r h - h h h h r h - h h h h h - -
"""
SAME = {"DA-06": ("DA-06", "DA-07", "DA-07u"), "DA-12": ("DA-12", "DA-13")}
CARRIERS = (
    "DA-01", "DA-03", "DA-05", "DA-06", "DA-07", "DA-07u", "DA-08", "DA-09", "DA-10", "DA-16", "DA-18", "DA-19",
)  # fmt: skip
"""The cards on a site carry the line that another lesion may be its return."""
FURTHER = {
    ("DC-02", "DC-01"): "h",
    ("DC-08", "DC-06"): "h",
    ("DC-08", "RC-02"): "h",
    ("DC-08", "DC-07"): "h",
    ("DC-06", "DC-07"): "h",
    ("LS-10", "DC-02"): "H",
    ("DC-04", "DC-05"): "h",
    ("DC-13", "DC-11"): "M",
    ("DC-14", "DC-04"): "m",
    ("DC-14", "DC-05"): "m",
    ("DA-10", "HN-03"): "M",
    ("DA-03", "HN-03"): "M",
    ("DA-03", "DQ-09"): "m",
    ("DA-09", "DA-03p"): "M",
    ("DQ-09", "PT-05"): "m",
    ("TP-01", "PT-01"): "h",
    ("TP-01", "PT-02"): "h",
    ("TP-01", "PT-04"): "h",
    ("TP-01", "PT-05"): "h",
    **{(actor, "LS-07r"): "M" for actor in CARRIERS},
}
ACTIONS = {"h": "hide", "m": "merge", "r": "reduce", "p": "strip"}
SCOPE = ("SC-01", "SC-02")


def written() -> dict[tuple[str, str], str]:
    cells = dict(FURTHER)
    for line in ROWS.strip().splitlines():
        actor, *letters = line.split()
        for column, letter in zip(COLUMNS.split(), letters, strict=True):
            for target in SAME.get(column, (column,)):
                if letter != "-":
                    cells[actor, target] = letter.replace("M", "m") if target == "DA-13" else letter
    return cells


def held() -> dict[tuple[str, str], str]:
    cells = {}
    for row in PACK.tables["suppression"]:
        letter = {action: letter for letter, action in ACTIONS.items()}[str(row["action"])]
        cells[str(row["actor"]), str(row["target"])] = letter if row["level"] == "patient" else letter.upper()
    return cells


CELLS = sorted(written())


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: " on ".join(cell))
def test_cell(cell: tuple[str, str]) -> None:
    assert held()[cell] == written()[cell]


def test_nothing_acts_that_is_not_written() -> None:
    assert {cell for cell in held() if cell[0] not in SCOPE} == set(CELLS)


def test_no_pair_occurs_twice() -> None:
    pairs = [(row["actor"], row["target"]) for row in PACK.tables["suppression"]]
    assert len(pairs) == len(set(pairs))


def test_outside_the_scope_every_card_is_hidden() -> None:
    cards = {
        one.id
        for one in PACK.statements.values()
        for spec in one.finding_specs()
        if spec.display == "card" and one.id not in ("SC-01", "HN-03g")
    }
    hidden = {target for actor, target in held() if actor == "SC-01"}
    assert cards - hidden == set()
    assert {"HN-03g", "SC-01"} <= {target for actor, target in held() if actor == "SC-02"}


def test_no_circle() -> None:
    acts: dict[str, set[str]] = {}
    for actor, target in held():
        acts.setdefault(actor, set()).add(target)

    def reaches(start: str, seen: frozenset[str]) -> None:
        for target in acts.get(start, ()):
            assert target not in seen, f"{target} acts on itself through {sorted(seen)}"
            reaches(target, seen | {target})

    for actor in acts:
        reaches(actor, frozenset({actor}))


HIDING = sorted(
    (str(row["actor"]), str(row["target"]))
    for row in PACK.tables["suppression"]
    if row["action"] != "merge" or row["always"] == "yes"
)


@pytest.mark.parametrize("cell", HIDING, ids=lambda cell: " on ".join(cell))
def test_what_acts_speaks_wherever_its_target_does(cell: tuple[str, str]) -> None:
    """Otherwise a card would give way on a hook to one that is not shown there; what is only merged never does."""
    hooks = [{hook for spec in PACK.statements[one].finding_specs() for hook in spec.hooks} for one in cell]
    assert "all" in hooks[0] or hooks[1] <= hooks[0]
