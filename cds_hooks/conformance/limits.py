"""What a run left out because there was too much of it, from what was read so far: nothing is asked here."""

from __future__ import annotations

from cds_hooks.conformance.exchange import MAX_BODY, Answer
from cds_hooks.conformance.services import MAX_KEYS, Call, Service
from cds_hooks.conformance.subject import Subject


def limits(subject: Subject) -> list[str]:
    """Returns what was not called, filled or read, in a few words each."""
    offered: list[Service] = vars(subject).get("offered", [])
    called: list[Service] = vars(subject).get("services", [])
    found = []
    if 0 < len(called) < len(offered):
        found.append(f"{len(called)} of {len(offered)} services were called")
    if any(len(one.templates) > MAX_KEYS for one in called):
        found.append(f"the first {MAX_KEYS} templates of a service were filled, not all of them")
    made, possible = len(_calls(subject)), len(called) * len(subject.options.patients)
    if 0 < made < possible:
        found.append(f"{made} of {possible} pairs of a service and a patient were called")
    large = sum(answer.unread for answer in subject.client.answers)
    if large:
        found.append(f"{large} answers were larger than {MAX_BODY} bytes and were not read further")
    return found


def unread(subject: Subject) -> bool:
    """Returns whether discovery, or the answer to every ordinary call, was too large to be read."""
    discovery: Answer | None = vars(subject).get("_discovery")
    answers = [call.answer for call in _calls(subject)]
    return (discovery is not None and discovery.unread) or (
        bool(answers) and all(one.unread for one in answers)
    )


def _calls(subject: Subject) -> list[Call]:
    found: list[Call] = vars(subject).get("_calls", [])
    return found
