"""The page at the service's own address: what discovery offers, for people, from the same registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from cds_hooks.services import SERVICES, Service
from plugin.version import VERSION

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def about(
    prefetch: Mapping[str, str], requirements: str, services: Iterable[Service] = SERVICES.values()
) -> str:
    """Returns an HTML page that lists every service with its hook, and every prefetch key with its query."""
    return _PAGE.format(
        version=escape(VERSION),
        requirements=escape(requirements),
        services="\n".join(_row(f"<code>{one.id}</code>", *_words(one)) for one in services),
        prefetch="\n".join(
            _row(f"<code>{escape(key)}</code>", f"<code>{escape(query)}</code>")
            for key, query in prefetch.items()
        ),
    )


def _words(service: Service) -> tuple[str, str]:
    return f"{escape(service.hook.name)} {escape(service.hook.version)}", escape(service.description)


def _row(head: str, *cells: str) -> str:
    return f'<tr><th scope="row">{head}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vestige</title>
</head>
<body>
<h1>Vestige {version}</h1>
<p>A CDS Hooks 2.0.1 service for colorectal liver metastases. It answers with advice for clinicians
and changes nothing in the record. Discovery: <a href="cds-services">cds-services</a>; the interface as a
document: <a href="openapi.json">openapi.json</a>.</p>
<h2>Services</h2>
<table><thead><tr><th scope="col">id</th><th scope="col">hook</th><th scope="col">purpose</th></tr></thead>
<tbody>
{services}
</tbody></table>
<p>{requirements}</p>
<h2>Prefetch, the same for every service</h2>
<table><thead><tr><th scope="col">key</th><th scope="col">query</th></tr></thead>
<tbody>
{prefetch}
</tbody></table>
</body>
</html>
"""
