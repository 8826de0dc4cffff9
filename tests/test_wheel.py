"""The built wheel holds the rules, the profiles and the page, and answers a hook from a clean environment."""

import json
import os
import re
import subprocess
import sys
import uuid
import venv
import zipfile
from datetime import date
from pathlib import Path

import pytest
import requests

from tests.service import running

TODAY = date(2026, 11, 21)
ROOT = Path(__file__).parents[1]
# Nothing of the checkout may be found from there.
CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_holds_the_data_files(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in ("rules/crlm/facts.yaml", "rules/crlm/evidence.yaml", "rules/crlm/text/en.yaml"):
        assert wanted in names
    assert any(name.startswith("fhir_profiles/generated/") and name.endswith(".json") for name in names)
    assert any(name.startswith("cds_hooks/page/") and name.endswith(".html") for name in names)
    assert not [name for name in names if name.startswith("tests/")]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    tag = f"py{sys.version_info.major}{sys.version_info.minor}"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    hashed = [*pip, "--require-hashes", "--no-build-isolation", "-r"]
    subprocess.run([*hashed, str(ROOT / "requirements" / f"{tag}-build.txt")], check=True, env=CLEAN)
    subprocess.run([*hashed, str(ROOT / "requirements" / f"{tag}-runtime.txt")], check=True, env=CLEAN)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True, env=CLEAN)
    return home


def test_answers_a_hook_from_a_clean_environment(installed: Path, tmp_path: Path) -> None:
    vestige = installed / "bin" / "vestige"
    export = [str(vestige), "samples", "export", str(tmp_path), "--today", TODAY.isoformat()]
    subprocess.run(export, check=True, cwd=tmp_path, capture_output=True, env=CLEAN)
    bundle = json.loads((tmp_path / "ct-only-watch-and-wait.json").read_text())
    hook = json.loads((tmp_path / "ct-only-watch-and-wait.hook.json").read_text())
    resources = [entry["resource"] for entry in bundle["entry"]]
    with running(tmp_path, today=TODAY, environment=CLEAN, vestige=vestige) as service:
        services = requests.get(f"{service.address}/cds-services", timeout=60).json()["services"]
        prefetch = {}
        for key, template in services[0]["prefetch"].items():
            found = [one for one in resources if one["resourceType"] == re.split(r"[?/]", template)[0]]
            whole = {"resourceType": "Bundle", "entry": [{"resource": one} for one in found]}
            prefetch[key] = whole if "?" in template else found[0]
        call = {"hook": hook["hook"], "hookInstance": str(uuid.uuid4()), "context": hook["context"]}
        answer = service.call({**call, "prefetch": prefetch})
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    assert card["indicator"] == "critical"
    assert "L1, L2, L3" in card["summary"]
