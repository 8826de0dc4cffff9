"""`vestige rules diff` over patients: each pack sees the facts that its own parameters make."""

import json
import re
from pathlib import Path

import msgspec

from cds_hooks.cli.comparison import facts_for, synthetic
from fhir_profiles import samples
from plugin.settings import Settings
from rules.language import load_pack
from tests.cds_hooks.test_cli import PACKAGED, copied_pack, vestige

BASELINE = re.compile(r"cea_baseline:(\s*)\{value: 42,")


def shorter_baseline(folder: Path) -> Path:
    """Returns a copy of the packaged rules in which only one window is shorter."""
    pack = copied_pack(folder)
    file = pack / "parameters.yaml"
    text, count = BASELINE.subn(r"cea_baseline:\1{value: 1,", file.read_text())
    assert count == 1
    file.write_text(text)
    return pack


def patient_file(folder: Path, name: str) -> Path:
    path = folder / f"{name}.json"
    path.write_bytes(msgspec.json.encode(samples.sample(name).bundle))
    return path


def test_each_pack_sees_the_facts_that_its_own_windows_make(tmp_path: Path) -> None:
    shipped, other, settings = load_pack(), load_pack(shorter_baseline(tmp_path)), Settings()
    seen = synthetic(settings)
    one, two = facts_for(shipped, seen, settings), facts_for(other, seen, settings)
    assert one.keys() == two.keys() == set(samples.names())
    assert one["cea-discordant"] != two["cea-discordant"]
    assert one == facts_for(load_pack(PACKAGED), seen, settings)


def test_a_window_alone_changes_findings(tmp_path: Path) -> None:
    run = vestige("rules", "diff", PACKAGED, shorter_baseline(tmp_path), "--json")
    differences = json.loads(run.stdout)["differences"]
    assert run.returncode == 1
    assert "parameter cea_baseline: changed" in differences
    assert [line for line in differences if line.startswith("cea-discordant: finding ")]


def test_patients_of_files_stand_in_for_the_synthetic_ones(tmp_path: Path) -> None:
    file, quiet = patient_file(tmp_path, "cea-discordant"), patient_file(tmp_path, "nothing-to-say")
    today = samples.sample("cea-discordant").anchor.isoformat()
    pack = shorter_baseline(tmp_path)
    run = vestige("rules", "diff", PACKAGED, pack, file, quiet, "--today", today, "--json")
    findings = [line for line in json.loads(run.stdout)["differences"] if ": finding " in line]
    assert run.returncode == 1
    assert findings
    assert all(line.startswith(f"{file}: ") for line in findings)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    run = vestige("rules", "diff", PACKAGED, PACKAGED, tmp_path / "none.json")
    assert run.returncode == 2
    assert "none.json" in run.stderr
