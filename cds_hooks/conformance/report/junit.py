"""A report as JUnit XML: a test suite a group, a test case a check."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from cds_hooks.conformance.groups import GROUPS
from cds_hooks.conformance.run import Report, Verdict


def as_junit(report: Report) -> bytes:
    """Returns the report as XML; a warning is a passed case whose output says what was found.

    The output of what is wrong holds what was sent and what came back.
    """
    root = Xml.Element("testsuites", name=f"CDS Hooks conformance of {report.options.base}")
    for name, title in GROUPS.items():
        chosen = [verdict for verdict in report.verdicts if verdict.check.group == name]
        if chosen:
            _suite(root, title, chosen, report)
    if report.unfinished or report.limits:
        _about_the_run(root, report)
    Xml.indent(root)
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _about_the_run(root: Xml.Element, report: Report) -> None:
    """A run that did not come to its end is an error, so that no build server takes it for a success."""
    broken = report.unfinished is not None
    counts = {"tests": "1", "failures": "0", "skipped": "0", "errors": str(int(broken))}
    suite = Xml.SubElement(root, "testsuite", {"name": "The run", **counts})
    case = Xml.SubElement(suite, "testcase", name="run.whole", classname="run")
    if report.unfinished is not None:
        Xml.SubElement(case, "error", message=report.unfinished)
    if report.limits:
        text = "".join(f"Not everything was looked at: {limit}.\n" for limit in report.limits)
        Xml.SubElement(case, "system-out").text = text


def _suite(root: Xml.Element, title: str, verdicts: Sequence[Verdict], report: Report) -> None:
    counts = {
        "tests": len(verdicts),
        "failures": sum(one.result == "fail" for one in verdicts),
        "skipped": sum(one.result == "skip" for one in verdicts),
        "errors": 0,
    }
    suite = Xml.SubElement(root, "testsuite", {"name": title, **{key: str(n) for key, n in counts.items()}})
    for verdict in verdicts:
        _case(suite, verdict, report)


def _case(suite: Xml.Element, verdict: Verdict, report: Report) -> None:
    case = Xml.SubElement(suite, "testcase", name=verdict.check.name, classname=verdict.check.group)
    numbers = ", ".join(map(str, verdict.check.numbers))
    properties = Xml.SubElement(case, "properties")
    for name, held in {"requirements": numbers, "strength": verdict.check.weight}.items():
        Xml.SubElement(properties, "property", name=name, value=held)
    text = "\n".join((f"{verdict.check.title} [{verdict.check.weight} {numbers}]", *verdict.reasons))
    if verdict.result == "fail":
        Xml.SubElement(case, "failure", message=verdict.reasons[0]).text = text
    elif verdict.result == "skip":
        Xml.SubElement(case, "skipped", message=verdict.reasons[0])
    if verdict.result in ("fail", "warn"):
        told = [f"WARNING: {text}"] if verdict.result == "warn" else []
        told += [json.dumps(report.exchange(number), indent=1) for number in verdict.exchanges]
        Xml.SubElement(case, "system-out").text = "\n".join(told)
