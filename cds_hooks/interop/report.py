"""The report of a run, as HTML, JUnit XML or JSON: every request and answer, without a secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import msgspec

from cds_hooks.interop.outcome import Examined, Outcome
from plugin.errors import InputError
from plugin.probe.journal import Entry

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1b1b}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{border:1px solid #bbb;padding:.25rem .6rem;
text-align:left;vertical-align:top}pre{background:#f4f4f4;padding:.6rem;overflow:auto;max-height:30rem;
white-space:pre-wrap;overflow-wrap:anywhere}details{margin:.2rem 0}.pass{background:#e3f4e1}
.differs{background:#fff3cd}.fail{background:#f8d7da}code{overflow-wrap:anywhere}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
# XML 1.0 knows no other control characters, not even as references.
_UNFIT = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 65534, 65535, *range(55296, 57344)], "�")


def as_json(outcome: Outcome, entries: Sequence[Entry]) -> bytes:
    """Returns the whole run as JSON: the outcome, and the exchanges in order."""
    document = {**outcome.document(), "exchanges": msgspec.to_builtins(list(entries))}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def as_junit(outcome: Outcome, entries: Sequence[Entry]) -> bytes:
    """Returns the checks as JUnit XML: one suite a patient, one case a check; a known difference passes."""
    suites = ElementTree.Element("testsuites", name=f"vestige interop {_fit(outcome.base)}")
    for one in outcome.patients:
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=_fit(one.name),
            tests=str(len(one.checks)),
            failures=str(sum(check.verdict == "fail" for check in one.checks)),
            errors="0",
            skipped="0",
            time=f"{one.seconds:.2f}",
        )
        for check in one.checks:
            case = ElementTree.SubElement(
                suite, "testcase", classname=_fit(one.name), name=_fit(check.name), time="0"
            )
            if check.verdict == "fail":
                failure = ElementTree.SubElement(case, "failure", message=_fit(check.detail[:300]))
                failure.text = _fit(check.detail)
            elif check.detail:
                ElementTree.SubElement(case, "system-out").text = _fit(f"{check.verdict}: {check.detail}")
    _cleaning(suites, outcome, len(entries))
    found: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return found + b"\n"


def _cleaning(suites: ElementTree.Element, outcome: Outcome, exchanges: int) -> None:
    left = () if outcome.cleaned is None else outcome.cleaned.left
    faults = [*left, *(["the run was stopped"] if outcome.interrupted else [])]
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name="removal",
        tests="1",
        failures=str(int(bool(faults))),
        errors="0",
        skipped="0",
        time="0",
    )
    case = ElementTree.SubElement(
        suite, "testcase", classname="removal", name="nothing is left behind", time="0"
    )
    if faults:
        ElementTree.SubElement(case, "failure", message=_fit(faults[0])).text = _fit("\n".join(faults))
    ElementTree.SubElement(case, "system-out").text = f"{exchanges} exchanges"


def as_html(outcome: Outcome, entries: Sequence[Entry]) -> bytes:
    """Returns one page that needs nothing beside it; whatever a server sent is text in it, never markup."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>Vestige interoperability run {escape(outcome.run)}</title><style>{_STYLE}</style>",
        f"<h1>Interoperability run {escape(outcome.run)}</h1>",
        _table(("", ""), [(name, value, "") for name, value in facts(outcome)]),
        "<h2>Patients</h2>",
        _table(("patient", "verdict", "checks", "seconds"), [_row(one) for one in outcome.patients]),
        *(_patient(one) for one in outcome.patients),
        f"<h2>Requests and answers ({len(entries)})</h2>",
        "<p>In order; tokens, keys and secrets are taken out.</p>",
        *(_exchange(number, entry) for number, entry in enumerate(entries, start=1)),
    ]
    return "\n".join(parts).encode("utf-8", "replace")


def facts(outcome: Outcome) -> list[tuple[str, str]]:
    """Returns what there is to know of a run as a whole, name by name."""
    counts = ", ".join(f"{outcome.number(name)} {name}" for name in ("pass", "differs", "fail"))
    known = [
        ("FHIR server", f"{outcome.base} ({outcome.dialect or 'no make we have notes on'})"),
        ("service", outcome.service),
        ("mode", outcome.mode + (", kept" if outcome.kept else "")),
        ("Vestige", f"{outcome.version}, rules {outcome.pack}"),
        ("day", f"{outcome.today}, started {outcome.started}, {outcome.seconds} s"),
        ("patients", counts),
        ("created", str(outcome.created)),
        ("removed", _removed(outcome)),
        ("load", f"{outcome.requests} exchanges, waited {outcome.waits} times for the server"),
    ]
    return [*known, *(("note", note) for note in outcome.notes)]


def _removed(outcome: Outcome) -> str:
    if outcome.cleaned is None:
        return "nothing was created" if not outcome.kept else f"kept; the manifest is {outcome.manifest}"
    text = f"{outcome.cleaned.removed} removed, {outcome.cleaned.absent} had never come to be"
    if outcome.cleaned.left:
        return f"{text}; LEFT BEHIND: {'; '.join(outcome.cleaned.left)} (manifest {outcome.manifest})"
    return f"{text}, nothing left"


def _row(one: Examined) -> tuple[str, ...]:
    failed = sum(check.verdict == "fail" for check in one.checks)
    return (
        one.name,
        one.verdict,
        f"{len(one.checks) - failed}/{len(one.checks)}",
        f"{one.seconds:.1f}",
        one.verdict,
    )


def _patient(one: Examined) -> str:
    lesions = ", ".join(f"{label} {status}" for label, status in one.lesions.items()) or "none"
    rules = ", ".join(f"{rule} ({', '.join(said)})" for rule, said in one.rules.items()) or "none"
    rows = [(check.name, check.verdict, check.detail, check.verdict) for check in one.checks]
    told = [f"<p>Lesions: {escape(lesions)}. Rules: {escape(rules)}.</p>"]
    told += [f"<p>Not read: {escape(gap)}</p>" for gap in one.gaps]
    return (
        f"<details><summary>{escape(one.name)}: {escape(one.title)}</summary>"
        f"{''.join(told)}{_table(('check', 'verdict', 'detail'), rows)}</details>"
    )


def _exchange(number: int, entry: Entry) -> str:
    status = str(entry.status) if entry.status is not None else "no answer"
    head = f"{number}. {entry.about or ''} {entry.method} {entry.url} : {status}, {entry.milliseconds:.0f} ms"
    parts = [
        _pre("sent", _lines(entry.sent_headers), entry.sent),
        _pre("came", _lines(entry.got_headers), entry.got),
    ]
    note = f"<p>{escape(entry.note)}</p>" if entry.note else ""
    return f"<details><summary><code>{escape(head)}</code></summary>{note}{''.join(parts)}</details>"


def _lines(headers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _pre(name: str, headers: str, body: str | None) -> str:
    text = "\n\n".join(part for part in (headers, _pretty(body)) if part)
    return f"<p>{name}</p><pre>{escape(text)}</pre>" if text else ""


def _pretty(body: str | None) -> str:
    if not body:
        return ""
    try:
        return json.dumps(json.loads(body), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def _table(headings: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    """A table; the last value of every row is its class."""
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join(
        f'<tr class="{escape(row[-1])}">' + "".join(f"<td>{escape(cell)}</td>" for cell in row[:-1]) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _fit(text: str) -> str:
    return text.translate(_UNFIT)


KINDS: Mapping[str, Callable[[Outcome, Sequence[Entry]], bytes]] = {
    "html": as_html,
    "junit": as_junit,
    "json": as_json,
}
ENDINGS = {"html": "html", "junit": "xml", "json": "json"}


def written(kind: str, outcome: Outcome, entries: Sequence[Entry], path: Path | None) -> Path:
    """Writes a report and returns where; readable by its owner only. Raises InputError."""
    where = path or Path(f"vestige-interop-{outcome.run}.{ENDINGS[kind]}")
    try:
        where.touch(mode=0o600)
        where.write_bytes(KINDS[kind](outcome, entries))
    except OSError as error:
        raise InputError(f"{where}: the report cannot be written: {error.strerror or error}") from error
    return where
