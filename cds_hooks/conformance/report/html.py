"""A report as one HTML file: no script, nothing loaded, every text of the service escaped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from cds_hooks.conformance.groups import GROUPS
from cds_hooks.conformance.register import requirements
from cds_hooks.conformance.run import RESULTS, Report, Verdict
from cds_hooks.conformance.shown import BODY, clean, hidden

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem;
  padding: 0 1rem; color: #1b2530; }
table { border-collapse: collapse; } th, td { padding: .15rem .8rem .15rem 0; text-align: left; }
.check { border-top: 1px solid #d5dce3; padding: .5rem 0; } .check p { margin: .2rem 0; }
.result { display: inline-block; width: 3.2rem; text-align: center; border-radius: 3px; font-weight: 600; }
.fail { background: #b3261e; color: #fff; } .warn { background: #ffd54a; }
.pass { background: #d7efdc; } .skip { background: #e6eaee; }
.more { color: #566370; font-size: .87em; } .check .reason { margin-left: 3.8rem; overflow-wrap: anywhere; }
details { margin-left: 3.8rem; } pre { background: #f4f6f8; padding: .6rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def as_html(report: Report) -> bytes:
    """Returns the report as a self-contained page."""
    base = escape(report.options.base)
    verdict = "No SHALL of CDS Hooks 2.0.1 was found broken."
    if report.token_wanted:
        verdict = "The service asks for a token: little was looked at."
    if not report.conformant:
        failed = f"{report.count('fail')} checks found a SHALL broken" if report.count("fail") else None
        verdict = f"{escape('; '.join(filter(None, (failed, report.unfinished))))}."
    limits = [f"<p>Not everything was looked at: {escape(limit)}.</p>" for limit in report.limits]
    page = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>CDS Hooks conformance of {base}</title><style>{_STYLE}</style></head><body>",
        "<h1>CDS Hooks conformance</h1>",
        f"<p>Service: <code>{base}</code></p>",
        f"<p>As the client {escape(report.options.profile.name)}, {len(report.answers)} requests.</p>",
        f"<p><strong>{verdict}</strong></p>",
        *limits,
        _table(report),
        *_groups(report),
        "</body></html>\n",
    ]
    return "\n".join(page).encode()


def _table(report: Report) -> str:
    head = "".join(f"<th>{result}</th>" for result in RESULTS)
    rows = []
    for name, title in GROUPS.items():
        results = [one.result for one in report.verdicts if one.check.group == name]
        cells = "".join(f"<td>{results.count(result)}</td>" for result in RESULTS)
        rows.append(f'<tr><td><a href="#{name}">{escape(title)}</a></td>{cells}</tr>' if results else "")
    return f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _groups(report: Report) -> Iterator[str]:
    for name, title in GROUPS.items():
        chosen = [verdict for verdict in report.verdicts if verdict.check.group == name]
        if chosen:
            yield f'<h2 id="{name}">{escape(title)}</h2>'
        for verdict in chosen:
            yield _verdict(report, verdict)


def _verdict(report: Report, verdict: Verdict) -> str:
    numbers = "; ".join(f"{number} {requirements()[number].title}" for number in verdict.check.numbers)
    reasons = "".join(f'<p class="reason">{escape(reason)}</p>' for reason in verdict.reasons)
    exchanges = "".join(_exchange(report.exchange(number), report.secrets) for number in verdict.exchanges)
    return (
        f'<div class="check"><p><span class="result {verdict.result}">{verdict.result}</span> '
        f"{escape(verdict.check.title)}</p>"
        f'<p class="reason more">{escape(verdict.check.name)}; {escape(verdict.check.weight)}; '
        f"{escape(numbers)}</p>{reasons}{exchanges}</div>"
    )


def _exchange(record: dict[str, Any], secrets: tuple[str, ...]) -> str:
    request = record["request"]
    back = record.get("error") or f"status {record['response']['status']}"
    sent = _message(request["headers"], request["body"], secrets)
    answer = ""
    if "response" in record:
        answer = _message(record["response"]["headers"], record["response"]["body"], secrets)
    return (
        f"<details><summary>{escape(request['method'])} <code>{escape(request['url'])}</code>: {escape(back)}"
        f"</summary><pre>{escape(sent)}</pre><pre>{escape(answer or back)}</pre></details>"
    )


def _message(headers: dict[str, str], body: str, secrets: tuple[str, ...]) -> str:
    lines = [f"{name}: {text}" for name, text in headers.items()]
    return "\n".join([*lines, "", _pretty(body, secrets)])


def _pretty(body: str, secrets: tuple[str, ...]) -> str:
    """The body indented where it is whole JSON that does not grow out of hand, else as it is.

    Secrets are hidden once more, since reading takes escapes away.
    """
    try:
        text = json.dumps(json.loads(body), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    return body if len(text) > 4 * BODY else clean(hidden(text, secrets))
