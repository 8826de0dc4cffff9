"""A report as JUnit XML: a test suite a group, a test case a check."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from cds_hooks.conformance.groups import GROUPS
from cds_hooks.conformance.run import Report, Verdict


def as_junit(report: Report) -> bytes:
    """Returns the report as XML; a warning is a passed case whose output says what was found."""
    root = Xml.Element("testsuites", name=f"CDS Hooks conformance of {report.options.base}")
    for name, title in GROUPS.items():
        chosen = [verdict for verdict in report.verdicts if verdict.check.group == name]
        if chosen:
            _suite(root, title, chosen)
    Xml.indent(root)
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(root: Xml.Element, title: str, verdicts: Sequence[Verdict]) -> None:
    counts = {
        "tests": len(verdicts),
        "failures": sum(one.result == "fail" for one in verdicts),
        "skipped": sum(one.result == "skip" for one in verdicts),
        "errors": 0,
    }
    suite = Xml.SubElement(root, "testsuite", {"name": title, **{key: str(n) for key, n in counts.items()}})
    for verdict in verdicts:
        _case(suite, verdict)


def _case(suite: Xml.Element, verdict: Verdict) -> None:
    case = Xml.SubElement(suite, "testcase", name=verdict.check.name, classname=verdict.check.group)
    numbers = ", ".join(map(str, verdict.check.numbers))
    text = "\n".join((f"{verdict.check.title} [{verdict.check.weight} {numbers}]", *verdict.reasons))
    if verdict.result == "fail":
        Xml.SubElement(case, "failure", message=verdict.reasons[0]).text = text
    elif verdict.result == "skip":
        Xml.SubElement(case, "skipped", message=verdict.reasons[0])
    elif verdict.result == "warn":
        Xml.SubElement(case, "system-out").text = f"WARNING: {text}"
