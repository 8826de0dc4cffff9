"""No name that comes from outside becomes a path: not of a file that is written, and not of what a server is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhir_profiles import samples
from tests.interop.command import vestige
from tests.servers.hostile import Hostile, Reply, Request, resource, serving, status


def below(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*")}


def test_samples_are_written_into_their_folder_alone(tmp_path: Path) -> None:
    assert vestige("samples", "export", "made/here", cwd=tmp_path).code == 0
    files = {f"made/here/{name}{end}" for name in samples.names() for end in (".json", ".hook.json")}
    assert below(tmp_path) == {"made", "made/here", *files}


@pytest.mark.parametrize("kind", ["html", "junit", "json"])
@pytest.mark.parametrize(
    "own", ["../../../outside", "..%2f..%2foutside", "/outside", "a/../../b", "x\\..\\y"]
)
def test_an_id_of_a_server_names_no_file_and_no_other_address(own: str, kind: str, tmp_path: Path) -> None:
    patient: dict[str, Any] = {"resourceType": "Patient", "id": own, "identifier": [{"value": own}]}

    def names(request: Request, server: Hostile) -> Reply:
        if request.path.endswith("/Patient"):
            entry = [{"resource": patient}]
            return resource({"resourceType": "Bundle", "type": "searchset", "entry": entry})
        return status(404)

    folder = tmp_path / "a" / "b" / "c" / "d"
    folder.mkdir(parents=True)
    with serving(names) as server:
        ran = vestige(
            *("interop", server.base, "--read-only", "--own-hook", "--report", "html", "--timeout", 300),
            cwd=folder,
        )
        asked = [request.path for request in server.requests]
    assert ran.code in (1, 2, 3), "such a patient passes for no success"
    assert asked
    # An encoded id is one segment; a segment that leads upwards would be another address.
    assert [path for path in asked if not path.startswith("/fhir/") or ".." in path.split("/")] == []
    assert len([one for one in below(tmp_path) if Path(one).suffix]) <= 1, "at most the report"
    assert all(one.startswith("a") for one in below(tmp_path))
