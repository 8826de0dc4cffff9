"""Makes the package cache entry hl7.fhir.r4.core#4.0.1, which SUSHI needs, from the R4 definitions on npm.

usage: profiles_core.py DEFINITIONS_FOLDER CACHE_FOLDER
"""

import json
import sys
from pathlib import Path

FILES = (
    "profiles-types.json",
    "profiles-resources.json",
    "profiles-others.json",
    "extension-definitions.json",
    "valuesets.json",
    "v3-codesystems.json",
    "v2-tables.json",
    "search-parameters.json",
    "conceptmaps.json",
)
MANIFEST = {
    "name": "hl7.fhir.r4.core",
    "version": "4.0.1",
    "fhirVersions": ["4.0.1"],
    "type": "Core",
    "canonical": "http://hl7.org/fhir",
    "title": "FHIR R4 core",
    "license": "CC0-1.0",
}


def main(definitions: Path, cache: Path) -> None:
    """Writes each R4 definition once, one file a resource, and the package's manifest."""
    package = cache / "hl7.fhir.r4.core#4.0.1" / "package"
    package.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        for entry in json.loads((definitions / name).read_text(encoding="utf-8"))["entry"]:
            resource = entry["resource"]
            if not resource.get("url", "http://hl7.org").startswith("http://hl7.org"):
                continue
            file = package / f"{resource['resourceType']}-{resource['id'].replace('/', '_')}.json"
            if not file.exists():
                file.write_text(json.dumps(resource), encoding="utf-8")
    (package / "package.json").write_text(json.dumps(MANIFEST), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
