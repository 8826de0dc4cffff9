"""A site cannot take a conclusion away from rules that rest on it: refused with their names, from the pack itself."""

from __future__ import annotations

from dataclasses import replace

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
    assert held_back(together, switched(*together)) == {}
    assert held_back({"RC-08": "off"}, switched("RC-08")) == {"RC-08": ("DC-15",)}
    two = dict.fromkeys(("RC-05", "DC-15"), "off")
    assert held_back(two, switched(*two)) == {"RC-05": ("DC-09", "DC-10")}


def test_whatever_is_accepted_takes_no_fact_from_an_active_rule() -> None:
    """One rule after another: held back, or nothing that stays in force reads what it gave."""
    accepted = 0
    for statement in SPEAKING:
        changed = switched(statement.id)
        if held_back({statement.id: "off"}, changed):
            continue
        accepted += 1
        lost = {give.kind for give in statement.given()}
        active = [one for one in changed if one.status == "active"]
        assert not [one.id for one in active for read in one.conditions() if read.kind in lost]
    assert accepted > 60


def test_giving_way_to_a_rule_is_no_reason_to_refuse() -> None:
    """DA-07u speaks where DA-05 does not: with DA-05 switched off it speaks, and nothing falls silent."""
    assert load_pack(states={"DA-05": "off", "DA-10": "shadow"})
