"""What fills the slots of a text: facts of the patient, parameters, and what the rules say; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from plugin.advice.markdown import escape, natural, plain, units
from plugin.advice.text import Texts
from plugin.decision import Decision
from rules.finding import Finding

MOST_LABELS = 3
MOST_ROWS = 10
_LONGEST_BASIS = 20

_WEAK = ("CT", "MRI", "US", "PET")
VISIBLE = ("VISIBLE", "SMALL_RESIDUAL", "RESIDUAL_TINY", "REAPPEARED")
GONE = ("APPARENT_DLM", "CONFIRMED_DLM", "MISSING_IOUS", "MISSING_CEIOUS")


class Slots(dict[str, str]):
    """Slot values, worked out when a text asks for them; one that is not there reads "not recorded"."""

    def __init__(self, sources: Sequence[Callable[[], Mapping[str, str]]], absent: str) -> None:
        super().__init__()
        self.sources = list(reversed(sources))
        self.absent = absent

    def __missing__(self, key: str) -> str:
        while self.sources:
            # The sources are asked in order, and what an earlier one said stands.
            for name, value in self.sources.pop()().items():
                self.setdefault(name, value)
            if key in self:
                return self[key]
        return self.absent


def fill(template: str, slots: Slots) -> str:
    """Returns the template with its slots filled."""
    if "{" not in template:
        return template
    return " ".join(template.format_map(slots).split())


class Filler:
    """Fills texts about the findings of one rule, for a summary (`short`) or for Markdown."""

    def __init__(self, decision: Decision, texts: Texts, hook: str, *, short: bool) -> None:
        self.decision, self.texts, self.hook, self.short = decision, texts, hook, short
        self.outcomes = {lesion.id: lesion for lesion in decision.lesions}
        self.known_labels: dict[str, str] = {}

    def text(self, template: str, findings: Sequence[Finding]) -> str:
        """Returns the template filled for findings that are about one thing."""
        return fill(template, self.slots(findings))

    def slots(self, findings: Sequence[Finding]) -> Slots:
        """Returns the slots of findings of one rule."""
        lesions = self.ordered({finding.subject for finding in findings if finding.subject})
        said = _together(findings)
        sources: list[Callable[[], Mapping[str, str]]] = [
            lambda: self.of_lesions(lesions),
            lambda: self.of_rule(findings, said, lesions),
            lambda: self.of_said(said),
            lambda: {"study": self.study(said, lesions), "class": self.modality(said.get("modality"))},
            lambda: self.of_patient,
            lambda: {"basis": self.basis(lesions, said)},
        ]
        return Slots(sources, self.texts.words("not_recorded"))

    def of_lesions(self, lesions: Sequence[str]) -> dict[str, str]:
        """Returns the labels, and the words that depend on how many there are."""
        number = 0 if len(lesions) == 1 else 1
        forms = {name: str(pair[number]) for name, pair in self.texts.data.get("forms", {}).items()}
        return {**forms, "lesions": self.labels(lesions), "segment": self.segment(lesions)}

    # ---------------------------------------------------------------- lesions
    @cached_property
    def seen_last(self) -> dict[str, Mapping[str, Any]]:
        """Returns the latest sighting that shows each lesion."""
        found: dict[str, Mapping[str, Any]] = {}
        for values in (fact.values for fact in self.decision.facts if fact.kind == "sighting"):
            if values.get("visibility") == "visible":
                known = found.get(str(values["lesion"]))
                if known is None or _moment(known) < _moment(values):
                    found[str(values["lesion"])] = values
        return found

    def ordered(self, lesions: Iterable[str]) -> list[str]:
        """Returns lesion ids in the natural order of their labels."""
        return sorted(lesions, key=lambda lesion: (natural(self.label(lesion)), lesion))

    def label(self, lesion: str) -> str:
        """Returns the label of a lesion, safe for where it goes."""
        found = self.known_labels.get(lesion)
        if found is None:
            outcome = self.outcomes.get(lesion)
            written = outcome.label if outcome else lesion.rsplit("/", 1)[-1]
            safe = plain(written) if self.short else escape(written)
            found = self.known_labels[lesion] = safe or self.texts.words("lesion").lower()
        return found

    def labels(self, lesions: Sequence[str]) -> str:
        """Returns at most three labels (ten in a detail), then how many more."""
        most = MOST_LABELS if self.short else MOST_ROWS
        named = ", ".join(self.label(lesion) for lesion in lesions[:most])
        return named + (f" +{len(lesions) - most}" if len(lesions) > most else "")

    def segment(self, lesions: Sequence[str]) -> str:
        """Returns the segment of a single lesion in brackets, where it is on record."""
        outcome = self.outcomes.get(lesions[0]) if len(lesions) == 1 else None
        if outcome is None or outcome.segment in (None, "unknown", "liver"):
            return ""
        return f" ({self.texts.words('segment').lower()} {outcome.segment})"

    # ---------------------------------------------------------------- studies
    def modality(self, code: Any) -> str:
        """Returns a class of study in words."""
        known = str(code) if code is not None else "unknown"
        if known == "unknown":
            return self.texts.words("not_recorded")
        return self.texts.word("short_class" if self.short else "class", known)

    def study(self, said: Mapping[str, Any], lesions: Sequence[str]) -> str:
        """Returns the study that decides, with its date; the latest date where lesions differ."""
        days = [day for day in said.get("day_all", ()) if isinstance(day, date)]
        classes = {code for code in said.get("modality_all", ()) if code != "unknown"}
        if len(classes) == 1 and len(set(days)) == 1:
            return f"{self.limited(lesions)}{self.modality(next(iter(classes)))} {days[0].isoformat()}"
        if days:
            return self.texts.words("imaging_up_to").format(date=max(days).isoformat())
        return self.modality(next(iter(classes))) if len(classes) == 1 else self.texts.words("no_date")

    def limited(self, lesions: Sequence[str]) -> str:
        """Returns "limited " before an MRI that does not confirm."""
        about = [self.decision.about("status", lesion) for lesion in lesions]
        weak = about and all(
            one.get("value") == "APPARENT_DLM" and one.get("class") == "MRI" for one in about
        )
        return f"{self.texts.words('limited')} " if weak else ""

    def basis(self, lesions: Sequence[str], said: Mapping[str, Any]) -> str:
        """Returns the kinds of study that do not show the lesions, CT first."""
        found = {
            str(fact.values.get("class"))
            for fact in self.decision.evaluation.of("counted")
            if fact.values["lesion"] in lesions
        } or {str(code) for code in said.get("modality_all", ())}
        kinds = [code for code in _WEAK if code in found]
        names = [
            f"{self.texts.words('limited')} {self.modality(code)}" if code == "MRI" else self.modality(code)
            for code in kinds
        ]
        joined = f" {self.texts.words('and')} ".join(names)
        if self.short and units(joined) > _LONGEST_BASIS:
            return self.texts.words("weak_studies")
        return joined or self.study(said, lesions)

    # ---------------------------------------------------------------- what was said
    def of_said(self, said: Mapping[str, Any]) -> dict[str, str]:
        """Returns the values that a rule says, as text."""
        day_names = {
            "day": "date", "operationDay": "operation_day", "cancelledDay": "cancelled", "mriDay": "mri",
            "planDay": "plan_day", "remnantDay": "remnant_day", "doseDay": "dose_day", "fromDay": "from_day",
            "toDay": "to_day",
        }  # fmt: skip
        found = {
            slot: said[name].isoformat()
            for name, slot in day_names.items()
            if isinstance(said.get(name), date)
        }
        plain_names = {
            "mm": "mm", "depthMm": "depth", "value": "value", "baseline": "baseline", "limit": "limit",
            "percent": "remnant", "cycles": "cycles", "age": "age", "gap": "gap", "fromMm": "from_mm",
            "toMm": "to_mm", "fromHu": "from_hu", "toHu": "to_hu", "fromSul": "from_sul", "toSul": "to_sul",
            "count": "count", "all": "all", "grade": "grade", "best": "best", "nodules": "nodules", "mean": "mean",
            "worst": "worst", "points": "points", "zone": "zone", "number": "number",
        }  # fmt: skip
        numbers = {slot: said.get(name) for name, slot in plain_names.items()}
        found.update({slot: number(value) for slot, value in numbers.items() if value is not None})
        for slot in ("date", "remnant_day"):
            found.setdefault(slot, self.texts.words("undated"))
        if "seenDay" in said or "notDay" in said:
            found["seen"] = self.pair(said.get("seenModality"), said.get("seenDay"))
            found["unseen"] = self.pair(said.get("notModality"), said.get("notDay"))
        if "other" in said:
            others = sorted({str(one) for one in said["other_all"]}, key=natural)
            named = [plain(one) if self.short else escape(one) for one in others[:MOST_LABELS]]
            left = len(others) - len(named)
            found["others"] = ", ".join(named) + (f" +{left}" if left > 0 else "")
        if isinstance(said.get("leftDay"), date):
            found["left"] = f" {said['leftDay'].isoformat()}"
        return found

    def pair(self, code: Any, day: Any) -> str:
        """Returns a class of study with its date."""
        when = day.isoformat() if isinstance(day, date) else self.texts.words("no_date")
        return f"{self.modality(code)} {when}"

    @cached_property
    def of_patient(self) -> dict[str, str]:
        """Returns what belongs to the patient: operation, index study, limits of time."""
        decision, texts = self.decision, self.texts
        found: dict[str, str] = {"left": "", "depth_text": "", "cost_text": "", "sums": ""}
        found["review"] = texts.words("review_order" if self.hook.startswith("order") else "review_plan")
        day = decision.fact("operation").get("day")
        found["operation"] = day.isoformat() if isinstance(day, date) else texts.words("operation_undated")
        for_ = "operation_for" if isinstance(day, date) else "operation_without_day"
        found["operation_for"] = texts.words(for_).format(date=found["operation"])
        index = decision.fact("index_study")
        found["index"] = texts.words("last_imaging")
        if isinstance(index.get("day"), date):
            found["index"] = self.pair(index.get("class"), index["day"])
        mri = decision.fact("plan").get("hbMriDay")
        if isinstance(mri, date):
            found["mri"] = mri.isoformat()
        for name in ("mdt_recent", "mdt_cycles", "cycle_alarm"):
            if name in decision.parameters:
                found[name] = number(decision.parameters[name].value)
        recent = decision.parameters.get("mdt_recent")
        if recent is not None:
            found["mdt_since"] = (decision.today - timedelta(days=int(recent.value))).isoformat()
        gaps = [fact.values for fact in decision.facts if fact.kind == "gap"]
        missing = len({(gap["resource"], gap.get("reason")) for gap in gaps}) or 1
        found["sources"] = (
            texts.words("sources_one") if missing == 1 else texts.words("sources_many").format(count=missing)
        )
        return found

    def of_rule(
        self, findings: Sequence[Finding], said: Mapping[str, Any], lesions: Sequence[str]
    ) -> dict[str, str]:
        """Returns the slots that only some rules have."""
        texts = self.texts
        found: dict[str, str] = {}
        reason = str(said.get("reason", "unknown"))
        if findings and findings[0].rule == "DA-15":
            found["exclusion"] = texts.word("exclusion", reason)
        elif findings and findings[0].rule == "HN-03":
            reasons = sorted({str(one) for one in said.get("reason_all", ())})
            found["reason_text"] = "; ".join(texts.word("reason", one) for one in reasons)
        else:
            found["disposition_reason"] = texts.word("disposition_reason", reason)
        if isinstance(said.get("cycles"), int):
            found["next_cycle"] = str(said["cycles"] + 1)
        if said.get("extra") not in (None, "unknown", "none"):
            found["cost_text"] = texts.words("cost_text").format(
                extra=texts.word("extra", str(said["extra"]))
            )
        if said.get("depthMm") is not None:
            found["depth_text"] = texts.words("depth_text").format(depth=number(said["depthMm"])) + " "
        for slot, section in (("criterion", "criterion"), ("scale", "scale"), ("score", "score")):
            if slot in said:
                found[slot] = texts.word(section, str(said[slot]))
        if "category" in said:
            found["category"] = texts.word("category", str(said["category"]))
            if said.get("now") is not None:
                found["sums"] = texts.words("sums").format_map(
                    {name: number(said.get(name)) for name in ("baseline", "nadir", "now")}
                )
        if any("deltaMm" in one for one in findings[0].says) if findings else False:
            found.update(self.moves(findings, lesions))
        return found

    def moves(self, findings: Sequence[Finding], lesions: Sequence[str]) -> dict[str, str]:
        """Returns the change of each lesion; for a summary the largest of each direction."""
        by_lesion = {finding.subject: finding.says[0] for finding in findings if finding.says}
        chosen = [lesion for lesion in lesions if lesion in by_lesion]
        if self.short and len(chosen) > 2:
            chosen.sort(key=lambda lesion: by_lesion[lesion]["deltaMm"])
            chosen = [chosen[0], chosen[-1]]
        words = [f"{self.label(lesion)} {signed(by_lesion[lesion]['deltaMm'])} mm" for lesion in chosen]
        changes = [
            self.texts.words("change").format(
                lesion=self.label(lesion),
                before=number(by_lesion[lesion].get("fromMm")),
                now=number(by_lesion[lesion].get("toMm")),
                modality=self.modality(by_lesion[lesion].get("modality")),
                first=_iso(by_lesion[lesion].get("fromDay")),
                last=_iso(by_lesion[lesion].get("toDay")),
            )
            for lesion in chosen
        ]
        return {"moves": ", ".join(words), "changes": " ".join(changes)}


def variant(decision: Decision, lesions: Sequence[str]) -> str | None:
    """Returns which figure of a source with several applies to the lesions: by what decided their status."""
    kinds: set[str] = set()
    for lesion in lesions:
        value = str(decision.about("status", lesion).get("value"))
        if value in VISIBLE:
            kinds.add("visible")
        elif value in ("MISSING_IOUS", "MISSING_CEIOUS"):
            kinds.add(value.removeprefix("MISSING_"))
        else:
            kinds.add({"CONFIRMED_DLM": "default", "CANNOT_DECIDE": "undecided"}.get(value, "CT"))
    return next(iter(kinds)) if len(kinds) == 1 else ("CT" if kinds else None)


def number(value: Any) -> str:
    """Returns a number as people write it: 6, 14.5."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return "?" if value is None else str(value)


def signed(value: Any) -> str:
    """Returns a difference with its sign."""
    text = number(value)
    return text if text.startswith("-") else f"+{text}"


def _moment(sighting: Mapping[str, Any]) -> tuple[date, str]:
    day = sighting.get("day")
    return (day if isinstance(day, date) else date.min), str(sighting.get("id"))


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else "?"


def _together(findings: Sequence[Finding]) -> dict[str, Any]:
    """Returns what the findings say: the first value of each name, and all of them under `name_all`."""
    said: dict[str, Any] = {}
    for finding in findings:
        for way in finding.says:
            for name, value in way.items():
                said.setdefault(name, value)
                said.setdefault(f"{name}_all", []).append(value)
    return said
