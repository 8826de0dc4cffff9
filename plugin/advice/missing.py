"""What a card has to say that is not on record, and what of the situation changes its options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from plugin.advice.card import Group, mri_barred, text_case
from plugin.advice.markdown import escape
from plugin.advice.slots import Filler
from plugin.advice.text import Texts
from plugin.advice.values import waiting
from plugin.decision import Decision

MRI_RULES = frozenset({"DA-01", "DA-10", "PT-02"})
_WATCHING = frozenset({"DA-09", "DA-16"})
_CLINICAL = frozenset({"F1", "F2", "F3", "F4", "F5"})
_MOST_GAPS = 6


def not_recorded(group: Group, decision: Decision, texts: Texts, filler: Filler) -> list[str]:
    """Returns one line for each item that is missing, each once."""
    lines = [
        *_asked(group, decision, texts, filler),
        *_unknown(group, decision, texts, filler),
        *_general(group, decision, texts),
        *_mri_reasons(group, decision, texts),
    ]
    if "HN-03g" in group.rules:
        lines += gap_lines(decision, texts)
    return list(dict.fromkeys(lines))


def gap_lines(decision: Decision, texts: Texts) -> list[str]:
    """Returns one line for each kind of resource that was not read, and why; what decides comes first.

    Everything that decides is named; of the rest as many as there is room for.
    """
    decisive: dict[tuple[str, str], bool] = {}
    for gap in decision.put_in("gap"):
        named = (str(gap["resource"]), str(gap.get("reason", "unknown")))
        decisive[named] = decisive.get(named, False) or gap.get("decisive") == "yes"
    order = sorted(decisive, key=lambda named: (not decisive[named], named))
    shown = order[: max(_MOST_GAPS, sum(decisive.values()))]
    left = len(order) - len(shown)
    lines = [
        texts.word("missing", "gap").format(
            resource=escape(texts.word("resource", resource)), why=texts.word("gap", why)
        )
        for resource, why in shown
    ]
    return lines + ([f"+{left}"] if left > 0 else [])


def _asked(group: Group, decision: Decision, texts: Texts, filler: Filler) -> Iterator[str]:
    """Yields what the texts of the findings name as missing, lesions of one case together."""
    by_case: dict[tuple[str, str | None], list[int]] = {}
    findings = group.findings
    for place, finding in enumerate(findings):
        by_case.setdefault((finding.rule, text_case(finding, decision)), []).append(place)
    for (rule, case), places in by_case.items():
        known = (texts.rule(rule, case, key) for key in ("missing", "unknown_text"))
        template = next((one for one in known if one), None)
        if template:
            yield filler.text(str(template), [findings[place] for place in places])


def _unknown(group: Group, decision: Decision, texts: Texts, filler: Filler) -> Iterator[str]:
    for rule in group.rules:
        about = filler.ordered({one.subject for one in group.findings if one.rule == rule and one.subject})
        for item in texts.rule(rule, None, "unknown") or ():
            lesions = _lacking(str(item), about, decision)
            if lesions is not None:
                yield texts.word("missing", str(item)).format(lesions=filler.labels(lesions))
            elif item == "extrahepatic" and decision.fact("patient").get(item) == "present":
                yield texts.word("missing", "extrahepatic_course")


def _lacking(item: str, lesions: Sequence[str], decision: Decision) -> list[str] | None:
    """Returns the lesions that lack an item (none for an item of the patient), None where it is there."""
    patient = decision.fact("patient")
    if item in ("depth", "cost"):
        name = "depthMm" if item == "depth" else "extraResection"
        without = [one for one in lesions if decision.about("lesion", one).get(name, "unknown") == "unknown"]
        return without or None
    stated = {
        "remnant": patient.get("flrPercent") is not None,
        "extrahepatic": patient.get("extrahepatic", "unknown") != "unknown",
        "mdt": patient.get("mdtLast") is not None,
    }
    return None if stated.get(item, True) else []


def _general(group: Group, decision: Decision, texts: Texts) -> Iterator[str]:
    if group.family not in _CLINICAL:
        return
    patient = decision.fact("patient")
    operation = decision.fact("operation")
    if operation and not isinstance(operation.get("day"), date):
        yield texts.word("missing", "operation_day")
    if patient.get("crlmScope", "unknown") == "unknown":
        yield texts.word("missing", "origin" if _two_primaries(decision) else "primary")
    if patient.get("ageYears") is None:
        yield texts.word("missing", "age")
    awaited = decision.fact("awaited_report")
    later = awaited.get("day")
    decided = [decision.about("status", one).get("asOf") for one in group.subjects]
    if isinstance(later, date) and any(isinstance(day, date) and day < later for day in decided):
        study = f"{texts.word('class', str(awaited.get('class')))} {later}"
        yield texts.word("missing", "awaited").format(study=study)
    loose = decision.fact("last_unmatched")
    if loose:
        study = f"{texts.word('class', str(loose.get('class')))} {loose['day']}"
        yield texts.word("missing", "unmatched").format(study=study)


def _mri_reasons(group: Group, decision: Decision, texts: Texts) -> Iterator[str]:
    """Yields that nothing is known of reasons against the MRI that is asked for and not ordered yet."""
    ordered = decision.fact("plan").get("hbMri", "unknown") != "unknown"
    known = decision.fact("patient").get("mriContra", "unknown") != "unknown"
    if MRI_RULES & set(group.rules) and not ordered and not known:
        yield texts.word("missing", "mri_reasons")


def situation(group: Group, decision: Decision, texts: Texts, filler: Filler) -> list[str]:
    """Returns the sentences that change what the options mean for this patient."""
    lines = [*_mri(group, decision, texts), *_history(group, decision, texts, filler)]
    lines += _other_imaging(group, decision, texts, filler)
    lines += _unfound(group, decision, texts, filler)
    lines += _outside(group, decision, texts)
    if group.family in _CLINICAL:
        for finding in decision.active:
            if finding.rule == "DC-14i":
                lines.append(filler.text(texts.word("situation", "uncertain_outside"), [finding]))
    if "DC-14" in group.rules and decision.fact("operation"):
        lines.append(filler.text(texts.word("situation", "operation_planned"), []))
    if "DC-04" in group.rules:
        lines += _treated_since(decision, texts)
    if "DC-04" in group.rules and primary_possible(decision):
        lines.append(texts.word("situation", "primary_in_place"))
    return lines


def _other_imaging(group: Group, decision: Decision, texts: Texts, filler: Filler) -> Iterator[str]:
    """Yields what is planned for lesions without a plan: CT, PET or plain MRI do not silence the advice."""
    if not _WATCHING & set(group.rules):
        return
    planned: dict[tuple[date, str], list[str]] = {}
    for lesion in group.subjects:
        values = decision.about("lesion", lesion)
        day = values.get("otherImagingNext")
        if isinstance(day, date) and not decision.about("surveilled", lesion):
            planned.setdefault((day, str(values.get("otherImagingClass", "unknown"))), []).append(lesion)
    for (day, study), lesions in sorted(planned.items()):
        yield texts.word("situation", "other_imaging").format(
            lesions=filler.labels(filler.ordered(lesions)), study=texts.word("planned_study", study), day=day
        )


def _outside(group: Group, decision: Decision, texts: Texts) -> Iterator[str]:
    """Yields metastases elsewhere whose course is not on record: it decides on treating the liver."""
    patient = decision.fact("patient")
    if patient.get("extrahepatic") != "present" or not (group.family in _CLINICAL or "DC-04" in group.rules):
        return
    day = patient.get("extrahepaticDay")
    if isinstance(day, date):
        yield texts.word("situation", "outside").format(day=day)
    else:
        yield texts.word("situation", "outside_undated")


def _treated_since(decision: Decision, texts: Texts) -> Iterator[str]:
    """Yields that a lesion was treated since the marker was measured: the value is then one of before."""
    measured = decision.fact("marker_series").get("newestDay")
    days = [day for one in decision.put_in("treatment") if isinstance(day := one.get("day"), date)]
    if isinstance(measured, date) and days and max(days) >= measured:
        yield texts.word("situation", "treated_since").format(day=max(days))


def _unfound(group: Group, decision: Decision, texts: Texts, filler: Filler) -> Iterator[str]:
    """Yields why the site of a resected lesion is to be searched at the next operation."""
    if "DA-03" not in group.rules:
        return
    unfound: dict[date, list[str]] = {}
    for lesion in group.subjects:
        day = decision.about("not_in_specimen", lesion).get("day")
        treated = decision.about("status", lesion).get("value") == "TREATED"
        if treated and isinstance(day, date) and decision.about("search_site", lesion):
            unfound.setdefault(day, []).append(lesion)
    for day, lesions in sorted(unfound.items()):
        yield texts.word("situation", "unfound").format(
            lesions=filler.labels(filler.ordered(lesions)), day=day
        )


def primary_possible(decision: Decision) -> bool:
    """Tells whether the primary tumour may still be in place: unless every entry of it is over."""
    entries = [one for one in decision.timeline.conditions if one.kind == "colorectal-primary"]
    return not entries or any(one.active is not False for one in entries)


def _two_primaries(decision: Decision) -> bool:
    """Tells whether a colorectal and another primary tumour are on record, which leaves the origin open."""
    kinds = {
        one.kind
        for one in decision.timeline.conditions
        if one.active is not False and one.certain is not False
    }
    return {"colorectal-primary", "other-primary"} <= kinds


def _mri(group: Group, decision: Decision, texts: Texts) -> Iterator[str]:
    """Yields what stands against the MRI that a rule of the card asks for, and what is known of one."""
    asked = bool(MRI_RULES & set(group.rules))
    if not asked and not any(
        texts.asks_for_mri(one.rule, text_case(one, decision)) for one in group.findings
    ):
        return
    patient = decision.fact("patient")
    if mri_barred(decision):
        reason = texts.word("contra", str(patient.get("mriContra")))
        yield texts.word("situation", "mri_contra" if asked else "mri_contra_short").format(reason=reason)
    if patient.get("pregnant") == "yes":
        yield texts.word("situation", "pregnant")
    if not asked:
        return
    if decision.fact("site").get("gadoxetateAvailable") == "no":
        yield texts.word("situation", "no_gadoxetate")
    if decision.fact("plan").get("hbMri", "unknown") != "unknown":
        yield texts.word("situation", "mri_ordered")


def _history(group: Group, decision: Decision, texts: Texts, filler: Filler) -> Iterator[str]:
    for flag, key in (
        ("reappearedBefore", "reappeared_before"),
        ("seenIntraop", "seen_intraop"),
        ("presumed", "presumed"),
    ):
        lesions = [one for one in group.subjects if _worth_saying(flag, one, group, decision)]
        if lesions:
            yield texts.word("situation", key).format(lesions=filler.labels(filler.ordered(lesions)))
    undecided = [one.subject for one in group.findings if one.rule == "HN-03" and one.subject]
    watched = [one for one in undecided if decision.about("watched", one)]
    if watched and group.family == "F7":
        yield texts.word("situation", "watch_recorded").format(
            lesions=filler.labels(filler.ordered(watched)), **waiting(filler, watched)
        )


def _worth_saying(flag: str, lesion: str, group: Group, decision: Decision) -> bool:
    """Tells whether a flag of a lesion adds something to what its card says already."""
    status = decision.about("status", lesion)
    if group.family not in _CLINICAL or status.get(flag) != "yes":
        return False
    if flag == "seenIntraop":
        return group.family != "F1"
    return flag != "reappearedBefore" or status.get("value") != "REAPPEARED"
