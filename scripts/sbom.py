"""A bill of materials (CycloneDX 1.6, JSON) of what Vestige runs with; `make sbom` runs it.

usage: scripts/sbom.py LOCK LICENCES OUTPUT, with the Python of .venv-audit. Names, versions and the hashes of
the files come from the lock by cyclonedx-py, licences and the packages of the pages from LICENCES (a file of
JSON, as `scripts.licences --json` writes it); what comes out is checked against the schema of CycloneDX.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator


def made(lock: Path, listed: list[dict[str, str]]) -> dict[str, Any]:
    """Returns the bill; stops where the lock has a package without licence or without hash."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(lock), "--output-reproducible"]
    command += ["--spec-version", "1.6"]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - all of it is ours
    bill: dict[str, Any] = json.loads(told.stdout)
    licences = {one["name"]: one for one in listed if one["ecosystem"] == "pypi"}
    for part in bill["components"]:
        part["licenses"] = [{"expression": licences[part["name"]]["licence"]}]
        if not any(one.get("hashes") for one in part.get("externalReferences", ())):
            raise SystemExit(f"{part['name']}: the lock has no hash of it")
    bill["components"] += [_bundled(one) for one in listed if one["ecosystem"] == "npm"]
    version = next(one["version"] for one in listed if one["ecosystem"] == "vestige")
    own = {"type": "application", "name": "vestige", "version": version, "bom-ref": "vestige"}
    bill["metadata"]["component"] = {**own, "licenses": [{"expression": "Apache-2.0"}]}
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
    lock, licences, output = map(Path, sys.argv[1:4])
    bill = json.dumps(made(lock, json.loads(licences.read_text(encoding="utf-8"))), indent=2)
    trouble = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6).validate_str(bill)
    if trouble is not None:
        raise SystemExit(f"the bill is no CycloneDX: {trouble}")
    output.write_text(bill + "\n", encoding="utf-8")
    count = len(json.loads(bill)["components"])
    sys.stdout.write(f"{output}: {count} packages with licences and hashes\n")


if __name__ == "__main__":
    main()
