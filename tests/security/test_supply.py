"""What Vestige is made of: pinned with hashes, listed with licences, and the list is not stale."""

from __future__ import annotations

import json
import re
import subprocess

from scripts import licences
from tests.require import require
from tests.security.patterns import ROOT


def test_the_page_of_licences_is_what_the_lock_files_say() -> None:
    rows = re.findall(
        r"^\| ([\w.-]+) \| ([\w.+-]+) \| ([^|]+) \| ([^|]+) \|$", licences.PAGE.read_text(), re.MULTILINE
    )
    listed = {name: version for name, version, licence, _ in rows if licence.strip() and name != "package"}
    locked = {name: version for lock in licences.LOCKS for name, version in licences.locked(lock).items()}
    bundled = {one.name: one.version for one in licences.bundled()}
    assert len(locked) > 30
    assert set(bundled) == {"uplot", "markdown-it"}
    assert listed == {**locked, **bundled}, "run make licences"


def test_no_licence_asks_for_more_than_the_page_says() -> None:
    for one in licences.bundled():
        assert one.licence == "MIT"
    assert not re.search(r"\| A?GPL", licences.PAGE.read_text())


def test_vendored_files_are_the_bytes_that_were_looked_at() -> None:
    held = {one["name"]: one["digest"] for one in licences.document() if one["ecosystem"] == "npm"}
    assert held["markdown-it"] == "d5432491790141da046b1197353705db03264f40b5727f3b4b591f5aba193e30"


def test_every_installer_asks_for_hashes() -> None:
    for line in (ROOT / "scripts" / "install.sh").read_text().splitlines():
        if "pip install" in line and "--no-deps -e ." not in line:
            assert "--require-hashes" in line
    assert "npm ci" in (ROOT / "scripts" / "page.sh").read_text()


def test_an_audit_that_could_not_ask_is_no_clean_one() -> None:
    text = (ROOT / "scripts" / "audit.sh").read_text()
    assert "--strict" in text
    assert "exit 3" in text


def test_the_bill_of_materials_has_hash_and_licence_of_each(tmp_path: object) -> None:
    tool = require("cyclonedx-py").with_name("python")
    listed = tmp_path / "licences.json"  # type: ignore[operator]
    bill = tmp_path / "bill.json"  # type: ignore[operator]
    listed.write_text(json.dumps(licences.document()))
    tag = sorted((ROOT / "requirements").glob("py3*-runtime.txt"))[0].name.removesuffix("runtime.txt")
    locks = [ROOT / "requirements" / f"{tag}{name}.txt" for name in licences.LOCKS]
    done = subprocess.run(
        [tool, ROOT / "scripts" / "sbom.py", listed, bill, *locks], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    parts = json.loads(bill.read_text())["components"]
    always = {one["name"] for one in parts if one.get("scope") != "optional"}
    assert always >= {*licences.locked("runtime"), "uplot", "markdown-it"}
    extras = {*licences.locked("postgres"), *licences.locked("otel")} - {*licences.locked("runtime")}
    assert "psycopg" in extras
    assert {one["name"] for one in parts if one.get("scope") == "optional"} == extras
    references = [one["bom-ref"] for one in parts]
    assert len(set(references)) == len(references)
    for one in parts:
        assert one["licenses"][0]["expression"]
        assert "hashes" in json.dumps(one)
