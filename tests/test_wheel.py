"""The built wheel holds the rules, the profiles and the page, and answers a hook from a clean environment."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


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
    subprocess.run([*hashed, str(ROOT / "requirements" / f"{tag}-build.txt")], check=True)
    subprocess.run([*hashed, str(ROOT / "requirements" / f"{tag}-runtime.txt")], check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True)
    return home


def test_answers_a_hook_from_a_clean_environment(installed: Path, tmp_path: Path) -> None:
    vestige = installed / "bin" / "vestige"
    export = [str(vestige), "samples", "export", str(tmp_path), "--today", "2026-11-21"]
    subprocess.run(export, check=True, cwd=tmp_path, capture_output=True)
    patient = tmp_path / "ct-only-watch-and-wait.json"
    answer = subprocess.run(
        [
            str(vestige),
            "assess",
            str(patient),
            "--hook",
            "order-sign",
            "--context",
            str(patient.with_suffix(".hook.json")),
            "--today",
            "2026-11-21",
            "--json",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    document = json.loads(answer.stdout)
    fired = {finding["rule"]: finding["indicator"] for finding in document["findings"]}
    assert fired["DA-10"] == "critical"
    assert document["cards"]
