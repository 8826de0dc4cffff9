"""What fills the slots of a text: facts of the patient, parameters, and what the rules say; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from plugin.advice.markdown import Natural, escape, natural, plain, units
from plugin.advice.text import Texts
from plugin.advice.values import MOST_LABELS, number, rule_values, said_values, together
from plugin.decision import Decision
from plugin.errors import TextError
from plugin.once import Once
from rules.finding import Finding

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
        self.asked: list[Mapping[str, str]] = []
        self.absent = absent

    def __missing__(self, key: str) -> str:
        # The sources are asked in order, and what an earlier one said stands.
        for said in self.asked:
            if key in said:
                return said[key]
        while self.sources:
            self.asked.append(self.sources.pop()())
            if key in self.asked[-1]:
                return self.asked[-1][key]
        return self.absent


def fill(template: str, slots: Slots) -> str:
    """Returns the template with its slots filled; raises TextError where it cannot be."""
    if "{" not in template:
        return template
    try:
        return " ".join(template.format_map(slots).split())
    except (ValueError, LookupError, AttributeError) as error:
        # Texts are checked when they are read; whatever is left must not take the other cards away.
        raise TextError(f"a text of a card cannot be filled ({type(error).__name__})") from error


class Filler(Once):
    """Fills texts about the findings of one rule, for a summary (`short`) or for Markdown."""

    def __init__(self, decision: Decision, texts: Texts, hook: str, *, short: bool) -> None:
        self.decision, self.texts, self.hook, self.short = decision, texts, hook, short
        self.outcomes = {lesion.id: lesion for lesion in decision.lesions}
        self.known_labels: dict[str, str] = {}
        self.known_slots: dict[tuple[int, ...], tuple[Sequence[Finding], Slots]] = {}

    def text(self, template: str, findings: Sequence[Finding]) -> str:
        """Returns the template filled for findings that are about one thing."""
        if "{" not in template:
            return template
        about = tuple([id(finding) for finding in findings])
        known = self.known_slots.get(about)
        if known is None:
            # The findings are kept beside their slots, so that no other one comes to have one of these ids.
            known = self.known_slots[about] = (tuple(findings), self.slots(findings))
        return fill(template, known[1])

    def slots(self, findings: Sequence[Finding]) -> Slots:
        """Returns the slots of findings of one rule."""
        lesions = self.ordered({finding.subject for finding in findings if finding.subject})
        said = together(findings)
        sources: list[Callable[[], Mapping[str, str]]] = [
            lambda: {"lesions": self.labels(lesions), "segment": self.segment(lesions)},
            lambda: self.forms(0 if len(lesions) == 1 else 1),
            lambda: rule_values(self, findings, said, lesions),
            lambda: said_values(self, said),
            lambda: {"study": self.study(said, lesions), "class": self.modality(said.get("modality"))},
            lambda: self.of_patient,
            lambda: {"basis": self.basis(lesions, said)},
        ]
        return Slots(sources, self.texts.words("not_recorded"))

    def forms(self, place: int) -> dict[str, str]:
        """Returns the words that depend on how many lesions there are: for one (0), for others (1)."""
        forms = self.texts.data.get("forms", {})
        return self.once(("forms", place), lambda: {name: str(pair[place]) for name, pair in forms.items()})

    # ---------------------------------------------------------------- lesions
    @cached_property
    def seen_last(self) -> dict[str, Mapping[str, Any]]:
        """Returns the latest sighting that shows each lesion."""
        found: dict[str, Mapping[str, Any]] = {}
        for values in self.decision.put_in("sighting"):
            if values.get("visibility") == "visible":
                known = found.get(str(values["lesion"]))
                if known is None or _moment(known) < _moment(values):
                    found[str(values["lesion"])] = values
        return found

    def ordered(self, lesions: Iterable[str]) -> list[str]:
        """Returns lesion ids in the natural order of their labels."""
        return sorted(lesions, key=self._natural)

    def _natural(self, lesion: str) -> tuple[Natural, str]:
        return self.once(("natural", lesion), lambda: (natural(self.label(lesion)), lesion))

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
            dated = f"{self.modality(next(iter(classes)))} {days[0].isoformat()}"
            return self.limited(dated) if self.is_limited(lesions) else dated
        if days:
            return self.texts.words("imaging_up_to").format(date=max(days).isoformat())
        return self.modality(next(iter(classes))) if len(classes) == 1 else self.texts.words("no_date")

    def limited(self, study: str) -> str:
        """Returns a study as one that does not confirm: "limited MRI"."""
        return self.texts.words("limited").format(study=study)

    def is_limited(self, lesions: Sequence[str]) -> bool:
        """Tells whether an MRI decides on the lesions that does not confirm."""
        about = [self.decision.about("status", lesion) for lesion in lesions]
        weak = all(one.get("value") == "APPARENT_DLM" and one.get("class") == "MRI" for one in about)
        return bool(about) and weak and not all(capped(self.decision, lesion) for lesion in lesions)

    def basis(self, lesions: Sequence[str], said: Mapping[str, Any]) -> str:
        """Returns the kinds of study that do not show the lesions, CT first."""
        found = {
            str(counted.get("class"))
            for counted in self.decision.evaluation.values("counted")
            if counted["lesion"] in lesions
        } or {str(code) for code in said.get("modality_all", ())}
        kinds = [code for code in _WEAK if code in found]
        adequate = bool(lesions) and all(capped(self.decision, lesion) for lesion in lesions)
        names = [
            self.limited(self.modality(code)) if code == "MRI" and not adequate else self.modality(code)
            for code in kinds
        ]
        joined = f" {self.texts.words('and')} ".join(names)
        if self.short and units(joined) > _LONGEST_BASIS:
            return self.texts.words("weak_studies")
        return joined or self.study(said, lesions)

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
        marker = decision.fact("marker_series").get("newestDay")
        if isinstance(marker, date):
            found["marker_day"] = marker.isoformat()
        mri = decision.fact("plan").get("hbMriDay")
        if isinstance(mri, date):
            found["mri"] = mri.isoformat()
        for name in ("mdt_recent", "mdt_cycles", "cycle_alarm"):
            if name in decision.parameters:
                found[name] = number(decision.parameters[name].value)
        recent = decision.parameters.get("mdt_recent")
        if recent is not None:
            found["mdt_since"] = (decision.today - timedelta(days=int(recent.value))).isoformat()
        missing = len({(gap["resource"], gap.get("reason")) for gap in decision.put_in("gap")}) or 1
        found["sources"] = (
            texts.words("sources_one") if missing == 1 else texts.words("sources_many").format(count=missing)
        )
        return found


def capped(decision: Decision, lesion: str) -> bool:
    """Tells whether only a reason against MRI keeps a lesion unconfirmed: an adequate MRI is negative."""
    best = decision.about("best_negative", lesion)
    unconfirmed = decision.about("status", lesion).get("value") == "APPARENT_DLM"
    return unconfirmed and best.get("class") == "MRI" and best.get("grade") == "strong"


def variant(decision: Decision, lesions: Sequence[str]) -> str | None:
    """Returns which figure of a source with several applies to the lesions: by what decided their status."""
    kinds: set[str] = set()
    for lesion in lesions:
        value = str(decision.about("status", lesion).get("value"))
        if value in VISIBLE:
            kinds.add("visible")
        elif value in ("MISSING_IOUS", "MISSING_CEIOUS"):
            kinds.add(value.removeprefix("MISSING_"))
        elif capped(decision, lesion):
            kinds.add("MRI")
        else:
            kinds.add({"CONFIRMED_DLM": "default", "CANNOT_DECIDE": "undecided"}.get(value, "CT"))
    return next(iter(kinds)) if len(kinds) == 1 else ("CT" if kinds else None)


def _moment(sighting: Mapping[str, Any]) -> tuple[date, str]:
    day = sighting.get("day")
    return (day if isinstance(day, date) else date.min), str(sighting.get("id"))
