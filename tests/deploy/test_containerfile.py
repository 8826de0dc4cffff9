"""The Containerfile: small, not root, nothing secret, only hashed wheels; its steps carried out without an engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from plugin.settings import Service
from tests.deploy.container import FILE, IGNORED, carry_out, copied, let_through, stages
from tests.require import ROOT, require

BUILD, FINAL = stages(FILE.read_text())


def test_the_linter_finds_nothing() -> None:
    done = subprocess.run([str(require("hadolint")), str(FILE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_base_is_pinned_and_can_be_given_by_digest() -> None:
    assert BUILD.base == FINAL.base == "${BASE}"
    first = next(line for line in FILE.read_text().splitlines() if line.startswith("ARG BASE="))
    assert first == "ARG BASE=python:3.12.12-slim-bookworm"


def test_only_hashed_requirements_are_installed_and_nothing_comes_from_an_index_after_that() -> None:
    pip = [one.text for one in BUILD.all("RUN") if " pip " in one.text]
    assert len(pip) == 4
    for step in pip:
        assert any(word in step for word in ("--require-hashes", "--no-deps")), step
        assert ("-r " in step) == ("--require-hashes" in step), step
    assert "--no-index" in pip[-1]
    for name in ("build", "runtime", "postgres"):
        assert any(f"${{TAG}}-{name}.txt" in step for step in pip), name
        assert (ROOT / "requirements" / f"py312-{name}.txt").is_file()


def test_what_is_shipped_is_built_before_and_runs_as_nobody_in_particular() -> None:
    assert [one.text for one in FINAL.all("COPY")] == ["--from=build /opt/vestige /opt/vestige"]
    assert not [one for one in FINAL.all("RUN") if "pip" in one.text or "apt" in one.text]
    assert FINAL.one("USER").text == "65532:65532"
    after = FINAL.instructions[FINAL.instructions.index(FINAL.one("USER")) :]
    assert not [one for one in after if one.name in ("RUN", "COPY", "USER")][1:]
    assert FINAL.one("VOLUME").text == FINAL.one("WORKDIR").text == "/var/lib/vestige"
    assert FINAL.one("STOPSIGNAL").text == "SIGTERM"
    assert "/healthz" in FINAL.one("HEALTHCHECK").text
    assert FINAL.one("EXPOSE").text == str(Service().port)
    assert FINAL.one("CMD").listed[0] == "serve"


def test_nothing_but_the_product_reaches_the_build() -> None:
    for sources, _ in copied(BUILD):
        for source in sources:
            assert (ROOT / source).exists(), source
    for path in (
        "cds_hooks/app.py",
        "rules/crlm/facts.yaml",
        "pyproject.toml",
        "requirements/py312-runtime.txt",
    ):
        assert let_through(path), path
    for path in (
        "vestige.toml",
        "vestige.db",
        "vestige-spool/a.spool",
        ".git/config",
        ".venv/bin/python",
        "tests/conftest.py",
        "rules/__pycache__/facts.cpython-311.pyc",
        "page.key",
    ):
        assert not let_through(path), path
    assert IGNORED.read_text().splitlines()[1] == "*"


def test_no_secret_and_no_address_of_one_is_in_it() -> None:
    names = ("password", "secret", "token", "postgresql://", "PRIVATE KEY")
    assert not [name for name in names if name.lower() in FILE.read_text().lower()]


def test_every_step_works_without_an_engine(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    carry_out(tmp_path)
    told = capfd.readouterr().out
    assert told.count("\nrun: ") + told.startswith("run: ") >= 5
    assert "served, found well, and ended; written to: ['vestige.db', 'vestige.db-spool']" in told
