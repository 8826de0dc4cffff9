"""A site cannot take a conclusion away from rules that rest on it: refused with their names, from the pack itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rules.errors import PackError
from rules.language import Statement, load_pack
from rules.language.readers import held_back, readers

PACK = load_pack()
SPEAKING = [one for one in PACK.statements.values() if one.finding_specs()]
RESTED_ON = {one.id: readers(one.id, PACK.statements.values()) for one in SPEAKING}
READ = {id_: found for id_, found in RESTED_ON.items() if found}


def test_the_pack_has_such_rules() -> None:
    assert {"LS-09", "RC-01", "RC-05", "RC-08"} <= set(READ)
    assert "DA-11" in READ["LS-09"]
    assert READ["RC-08"] == ("DC-15",)


def test_readers_are_found_through_steps() -> None:
    """RC-05 is read by DC-15 only through a step that says whether the imaging responded."""
    assert "DC-15" in READ["RC-05"]
    assert not any(id_.startswith(("ST-", "AX-", "SU-")) for found in READ.values() for id_ in found)


@pytest.mark.parametrize(("id_", "state"), [("LS-09", "shadow"), ("RC-05", "off")])
def test_a_rule_that_others_rest_on_is_refused_with_their_names(id_: str, state: str) -> None:
    with pytest.raises(PackError) as refused:
        load_pack(states={id_: state})
    message = str(refused.value)
    assert f"'{id_}' cannot be {state}" in message
    assert all(reader in message for reader in READ[id_])


def switched(*ids: str) -> list[Statement]:
    return [replace(one, status="off") if one.id in ids else one for one in PACK.statements.values()]


def test_it_can_be_switched_together_with_all_that_rest_on_it() -> None:
    together = dict.fromkeys(("RC-08", "RC-08v", "DC-15"), "off")
    assert held_back(switched(*together)) == {}
    assert held_back(switched("RC-08")) == {"RC-08": ("DC-15",)}
    two = dict.fromkeys(("RC-05", "DC-15"), "off")
    assert held_back(switched(*two)) == {"RC-05": ("DC-09", "DC-10")}


def test_whatever_is_accepted_takes_no_fact_from_an_active_rule() -> None:
    """One rule after another: held back, or nothing that stays in force reads what it gave."""
    accepted = 0
    for statement in SPEAKING:
        changed = switched(statement.id)
        if held_back(changed):
            continue
        accepted += 1
        lost = {give.kind for give in statement.given()}
        active = [one for one in changed if one.status == "active"]
        assert not [one.id for one in active for read in one.conditions() if read.kind in lost]
    assert accepted > 60


def test_giving_way_to_a_rule_is_no_reason_to_refuse() -> None:
    """DA-07u speaks where DA-05 does not: with DA-05 switched off it speaks, and nothing falls silent."""
    assert load_pack(states={"DA-05": "off", "DA-10": "shadow"})


TINY = Path(__file__).parent / "packs" / "tiny"


def changed(folder: Path, name: str, old: str, new: str) -> Path:
    shutil.copytree(PACK.folder, folder, dirs_exist_ok=True)
    file = folder / "statements" / name
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize("state", ['"off"', "shadow"])
@pytest.mark.parametrize("id_", ["ST-doubt", "ST-standing", "ST-silent"])
def test_a_pack_cannot_take_a_step_of_the_status_out_of_force(tmp_path: Path, id_: str, state: str) -> None:
    """Without its doubts a lesion that was last read as indeterminate would count as confirmed."""
    old = f"  - id: {id_}\n"
    folder = changed(tmp_path, PACK.statements[id_].file.split("/")[1], old, f"{old}    status: {state}\n")
    with pytest.raises(PackError) as refused:
        load_pack(folder)
    (problem,) = refused.value.problems
    assert (problem.file, problem.message.startswith(f"'{id_}' cannot be ")) == (
        PACK.statements[id_].file,
        True,
    )
    assert "DA-10" in problem.message


def test_every_step_that_a_rule_rests_on_must_be_in_force() -> None:
    steps = [one for one in PACK.statements.values() if not one.finding_specs()]
    assert len(steps) > 40
    for one in steps:
        assert bool(held_back(switched(one.id))) == bool(readers(one.id, PACK.statements.values())), one.id


def test_a_step_may_be_tried_beside_the_rule_that_tries_it() -> None:
    step = next(
        one for one in PACK.statements.values() if readers(one.id, PACK.statements.values()) == ("DC-15",)
    )
    assert held_back(switched(step.id, "DC-15")) == {}


@pytest.mark.parametrize("state", ["off", "shadow"])
def test_a_rule_that_another_wants_the_finding_of_is_held_back(state: str) -> None:
    """NOTE is critical and speaks where ST found something: without ST it would be silent."""
    with pytest.raises(PackError, match="'ST' cannot be .*: NOTE rest on what it concludes"):
        load_pack(TINY, states={"ST": state})
    assert load_pack(TINY, states={"ST": state, "NOTE": state})


def test_one_of_several_wanted_findings_may_go() -> None:
    """DA-15 names what a recorded reason silences: any of many rules, and nothing where none is in force."""
    assert load_pack(states={"DA-10": "off", "DA-09": "off"})
    wanted = [one.id for one in SPEAKING if _names(one.id)]
    assert len(wanted) > 5
    assert "DA-15" in {name for found in held_back(switched(*wanted)).values() for name in found}


def _names(id_: str) -> bool:
    return any(id_ in test.choices for one in PACK.statements["DA-15"].conditions() for test in one.tests)
