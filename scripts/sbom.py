"""A bill of materials (CycloneDX 1.6, JSON) of what Vestige runs with; `make sbom` runs it.

usage: scripts/sbom.py LICENCES OUTPUT LOCK..., with the Python of .venv-audit. The first lock is of what runs
with every installation, the others are of extras: what only they name is "optional". Names, versions
and the hashes of the files come from the locks by cyclonedx-py, licences and the packages of the pages from
LICENCES (a file of JSON, as `scripts.licences --json` writes it); what comes out is held to the schema
of CycloneDX.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator


def made(locks: list[Path], listed: list[dict[str, str]]) -> dict[str, Any]:
    """Returns the bill; stops where a lock has a package without licence or without hash."""
    bill, *extras = [_of(lock) for lock in locks]
    known = {part["name"] for part in bill["components"]}
    for extra in extras:
        only = [part for part in extra["components"] if part["name"] not in known]
        bill["components"] += [{**part, "scope": "optional"} for part in only]
        known |= {part["name"] for part in only}
    licences = {one["name"]: one for one in listed if one["ecosystem"] == "pypi"}
    for part in bill["components"]:
        part["licenses"] = [{"expression": licences[part["name"]]["licence"]}]
        # A line of a lock is no name: two locks have the same ones.
        part["bom-ref"] = part["purl"]
        if not any(one.get("hashes") for one in part.get("externalReferences", ())):
            raise SystemExit(f"{part['name']}: the lock has no hash of it")
    bill["components"] += [_bundled(one) for one in listed if one["ecosystem"] == "npm"]
    version = next(one["version"] for one in listed if one["ecosystem"] == "vestige")
    own = {"type": "application", "name": "vestige", "version": version, "bom-ref": "vestige"}
    bill["metadata"]["component"] = {**own, "licenses": [{"expression": "Apache-2.0"}]}
    # Of what depends on what a lock says nothing.
    bill.pop("dependencies", None)
    return bill


def _of(lock: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(lock), "--output-reproducible"]
    command += ["--spec-version", "1.6"]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - all of it is ours
    bill: dict[str, Any] = json.loads(told.stdout)
    return bill


def _bundled(one: dict[str, str]) -> dict[str, Any]:
    where = f"pkg:npm/{one['name']}@{one['version']}"
    return {
        "type": "library",
        "name": one["name"],
        "version": one["version"],
        "purl": where,
        "bom-ref": where,
        "licenses": [{"expression": one["licence"]}],
        "hashes": [{"alg": "SHA-256", "content": one["digest"]}],
        "description": f"bundled in {one['file']}, whose hash this is",
    }


def main() -> None:
    """Writes the bill, once the schema takes it."""
    licences, output, *locks = map(Path, sys.argv[1:])
    bill = json.dumps(made(locks, json.loads(licences.read_text(encoding="utf-8"))), indent=2)
    trouble = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6).validate_str(bill)
    if trouble is not None:
        raise SystemExit(f"the bill is no CycloneDX: {trouble}")
    output.write_text(bill + "\n", encoding="utf-8")
    count = len(json.loads(bill)["components"])
    sys.stdout.write(f"{output}: {count} packages with licences and hashes\n")


if __name__ == "__main__":
    main()
