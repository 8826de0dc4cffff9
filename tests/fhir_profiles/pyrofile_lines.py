"""pyrofile FOLDER: reads one R4 resource a line, prints one JSON array of errors a line.

Runs in an environment of its own (pyrofile.txt), so it imports nothing of ours. What pyrofile 0.3.0 gets wrong is kept
from it or left out: of a snapshot's nested slicing of extensions it takes the wrong discriminator, a pattern without
display refuses a coding that has one, and all extensions of a resource count for each slice of extensions.
"""

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from pyrofile_validator import Validator  # type: ignore[import-not-found, unused-ignore]
from pyrofile_validator.config import ValidatorConfig  # type: ignore[import-not-found, unused-ignore]

# An invariant that pyrofile cannot compute says nothing about the resource.
NO_FINDING = ("FHIRPath invariant could not be evaluated", "Profile slice extension:")


def without_display(value: Any) -> Any:
    if isinstance(value, list):
        return [without_display(item) for item in value]
    if isinstance(value, dict):
        return {
            key: without_display(item)
            for key, item in value.items()
            if not (key == "display" and "code" in value)
        }
    return value


def main(folder: Path) -> None:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as work:
        for path in folder.glob("*.json"):
            resource = json.loads(path.read_text())
            resource.pop("snapshot", None)
            if resource["resourceType"] in {"StructureDefinition", "ValueSet", "CodeSystem"}:
                Path(work, path.name).write_text(json.dumps(resource))
        validator = Validator(
            ValidatorConfig(local_package_paths=[work], evidence_output_dir=f"{work}/evidence")
        )
        for line in sys.stdin:
            issues = validator.validate_resource(without_display(json.loads(line))).issues
            errors = [issue.message for issue in issues if issue.severity.value in {"error", "fatal"}]
            print(json.dumps([error for error in errors if not error.startswith(NO_FINDING)]), flush=True)


main(Path(sys.argv[1]))
