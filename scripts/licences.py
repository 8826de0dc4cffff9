"""Every package that Vestige runs with, its version and licence, into docs/licences.md (`make licences`).

usage: python -m scripts.licences [--check | --json]
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from plugin.version import VERSION

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
WEB = ROOT / "cds_hooks" / "timeline_page" / "web" / "package-lock.json"
VENDORED = ROOT / "cds_hooks" / "page" / "vendor"
# What a page brings along, by the file that holds it.
HELD_IN = {
    "timeline page": ROOT / "cds_hooks" / "timeline_page" / "static" / "page.js",
    "demo EHR and timeline page": VENDORED / "markdown-it.min.js",
}
# What runs with every installation, and with each extra.
LOCKS = ("runtime", "postgres", "otel")
# What older packages write in place of an SPDX identifier, read by a person in the licence file of each.
_NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "BSD license": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
_KNOWN = frozenset(
    {
        "MIT",
        "MIT-0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "Apache-2.0",
        "ISC",
        "MPL-2.0",
        "PSF-2.0",
        "LGPL-3.0-only",
    }
)
_WORDS = """\
# Licences

Vestige is under the Apache License, Version 2.0 ([LICENSE](../LICENSE), [NOTICE](../NOTICE)). What it runs
with is listed here, from the lock files in `requirements/` and the packages' own metadata. `make licences`
writes this page and `tests/security/test_supply.py` fails where it is not what the lock files say. Nothing in
these packages is changed by us. Two kinds need a look before Vestige is passed on in a bundle: MPL-2.0
(certifi) asks that the files it covers stay open, and LGPL-3.0 (psycopg, only where the store is PostgreSQL)
that its user can replace the library, which installing it as a package of its own allows.

`make sbom` writes the same as CycloneDX, with the hashes of the files.
"""


@dataclass(frozen=True)
class Package:
    """One package: `ecosystem` is pypi or npm, `needed` the lock file or the file that holds it."""

    ecosystem: str
    name: str
    version: str
    licence: str
    needed: str


def locked(name: str) -> dict[str, str]:
    """Returns name and version of every requirement of a lock, the same for every Python; {} without one."""
    found: dict[str, str] = {}
    for lock in sorted((ROOT / "requirements").glob(f"py3*-{name}.txt")):
        for line in lock.read_text(encoding="utf-8").splitlines():
            pinned = re.match(r"([A-Za-z0-9._-]+)==(\S+)", line)
            if pinned and found.setdefault(pinned[1], pinned[2]) != pinned[2]:
                raise SystemExit(f"{lock.name}: {pinned[1]} has another version than for the other Python")
    return found


def packages() -> list[Package]:
    """Returns all packages; stops where an installed version is not the one of the lock."""
    found: list[Package] = []
    for lock in LOCKS:
        known = {one.name for one in found}
        found += [
            Package("pypi", name, version, licence_of(name, version), lock)
            for name, version in locked(lock).items()
            if name not in known
        ]
    return [*found, *bundled()]


def licence_of(name: str, version: str) -> str:
    """Returns the SPDX expression of an installed package."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        raise SystemExit(f"{name} is not installed: run make dev") from None
    if told["Version"] != version:
        raise SystemExit(f"{name} {told['Version']} is installed, the lock has {version}: run make dev")
    classified = [
        one.split(" :: ")[-1] for one in told.get_all("Classifier") or () if one.startswith("License")
    ]
    for said in (told.get("License-Expression"), told.get("License"), *classified):
        expression = _NAMES.get(said or "", said or "")
        if expression and set(re.split(r" (?:AND|OR) ", expression)) <= _KNOWN:
            return expression
    raise SystemExit(f"{name} {version}: no licence that is known here; read its licence file and add it")


def bundled() -> list[Package]:
    """Returns what the pages bring to the browser."""
    lock = json.loads(WEB.read_text(encoding="utf-8"))["packages"]
    found = [
        Package("npm", path.rpartition("node_modules/")[2], one["version"], one["license"], "timeline page")
        for path, one in lock.items()
        if path and not one.get("dev")
    ]
    for file in sorted(VENDORED.glob("*.LICENSE.txt")):
        name, version, licence = file.read_text(encoding="utf-8").split()[:3]
        found.append(Package("npm", name, version, licence.strip("(),"), "demo EHR and timeline page"))
    return found


def page(listed: list[Package]) -> str:
    """Returns the text of docs/licences.md."""
    rows = [
        f"| {one.name} | {one.version} | {one.licence} | {one.needed} |"
        for one in sorted(
            listed,
            key=lambda one: (
                one.ecosystem != "pypi",
                LOCKS.index(one.needed) if one.needed in LOCKS else 9,
                one.name,
            ),
        )
    ]
    return "\n".join([_WORDS, "| package | version | licence | comes with |", "|---|---|---|---|", *rows, ""])


def document() -> list[dict[str, str]]:
    """Returns all packages as JSON, those of the pages with the hash of the file that holds them, and us."""
    own = {"ecosystem": "vestige", "name": "vestige", "version": VERSION}
    return [own, *({**asdict(one), **_held(one)} for one in packages())]


def _held(one: Package) -> dict[str, str]:
    file = HELD_IN.get(one.needed)
    if file is None:
        return {}
    digest = sha256(file.read_bytes()).hexdigest()
    return {"file": file.relative_to(ROOT).as_posix(), "digest": digest}


def main() -> None:
    """Writes the page; --check only says whether it is up to date, --json writes the list instead."""
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(document()))
        return
    text = page(packages())
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") != text:
            raise SystemExit(f"{PAGE.name} is not what the lock files say: run make licences")
        return
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
