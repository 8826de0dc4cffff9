"""Reads the cases (YAML): each as a patient's record, the call that goes with it, and what is expected."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import yaml

from fhir_profiles.samples.person import Resource
from plugin.advice.digest import digest
from plugin.decision import Decision
from plugin.settings import Cards, Settings, Site
from rules.facts import Fact
from tests.cases.builder import STRANGER, Builder
from tests.cases.teller import Teller

FOLDER = Path(__file__).parent


@dataclass
class Case:
    """One case as it is written, and the resources it stands for."""

    name: str
    told: Mapping[str, Any]
    story: Teller
    drafts: list[Resource]

    @property
    def today(self) -> date:
        """The day on which the case is looked at."""
        day: date = self.told["today"]
        return day

    @property
    def settings(self) -> Settings:
        """The settings of the site, where the case has any."""
        return Settings(
            site=Site(**self.told.get("site", {})), cards=Cards(**self.told.get("cards_setting", {}))
        )

    @property
    def context(self) -> dict[str, Any]:
        """The call: the drafts on order-sign, else the opening of the chart."""
        return self.story.sign(*self.drafts) if self.drafts else self.story.view()

    def answers(self, decision: Decision) -> list[Fact]:
        """What clinicians answered to messages of a decision; `changed` where the message was another one."""
        return [
            Fact(
                "override",
                {
                    "id": f"answer-{place}",
                    "rule": one["rule"],
                    "digest": "changed" if one.get("changed") else digest(one["rule"], decision),
                    "outcome": "overridden",
                    "reason": one.get("reason", "mdt-decision"),
                    "day": one["day"],
                },
            )
            for place, one in enumerate(self.told.get("answers", ()))
        ]

    def bundle(self) -> dict[str, Any]:
        """The record as one Bundle; a page with a next one where the case is cut short."""
        bundle = copy.deepcopy(self.story.bundle())
        for entry in bundle["entry"]:
            if str(entry["resource"].get("id")).startswith(STRANGER):
                entry["resource"]["subject"] = {"reference": f"Patient/{STRANGER}"}
        gap = self.told.get("gap")
        if gap == "truncated":
            entries = [{"resource": entry["resource"]} for entry in bundle["entry"]]
            link = [{"relation": "next", "url": "https://vestige.example/fhir/next"}]
            return {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries}
        if gap is not None:
            outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": gap}]}
            bundle["entry"].append({"resource": outcome})
        return bundle

    def write(self, folder: Path) -> Path:
        """The record as a file."""
        file = folder / f"{self.name}.json"
        file.write_bytes(msgspec.json.encode(self.bundle()))
        return file


def names() -> list[str]:
    """The names of all cases, over all files."""
    return list(_told())


def case(name: str) -> Case:
    """One case, built."""
    told = _told()[name]
    serial = list(_told()).index(name) + 10
    patient = told.get("patient", {})
    story = Teller(
        serial, f"Case-{serial}", "Vestige", birth=str(patient.get("birth", "1960-03-14")), gender="female"
    )
    if "deceased" in patient:
        story.patient["deceasedDateTime"] = str(patient["deceased"])
    builder = Builder(name, told, story)
    builder.build()
    return Case(name, told, story, builder.drafts)


_READ: dict[str, Mapping[str, Any]] = {}


def _told() -> dict[str, Mapping[str, Any]]:
    if not _READ:
        written: dict[str, Mapping[str, Any]] = {}
        for file in sorted(FOLDER.glob("*.yaml")):
            for name, told in yaml.safe_load(file.read_text(encoding="utf-8")).items():
                if name in written:
                    raise ValueError(f"{file.name}: the case {name} is written twice")
                written[name] = told
        _READ.update({name: _whole(told, written) for name, told in written.items()})
    return _READ


def _whole(told: Mapping[str, Any], written: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A case that names another has its parts too, where it does not write its own."""
    if "like" not in told:
        return told
    other = _whole(written[told["like"]], written)
    return {**other, "fails": None, **told}
