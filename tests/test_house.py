"""What holds for the repository as a whole: nothing of a machine or a registry in it, and every lock file carries hashes."""

import re
import subprocess
from pathlib import Path

import pytest

from plugin.settings import load

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("py3*.txt"))
# Written in pieces so that this file does not hold what it forbids.
HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "repo1.maven" + ".org"]
MACHINE = re.compile(r"(?<![\w.})])" + "/" + r"(home|root|Users|work|opt/wheels)(/[\w.-]+|\b)")


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: the list of files is taken from git")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        if "vendor" in path.parts or path.suffix in {".png", ".ico", ".woff2"}:
            continue
        found.append((path, path.read_text(encoding="utf-8")))
    return found


def test_no_registry_host_and_no_path_of_a_machine() -> None:
    faults = []
    for path, text in texts():
        faults += [f"{path.relative_to(ROOT)}: {host}" for host in HOSTS if host in text]
        faults += [f"{path.relative_to(ROOT)}: {found[0]}" for found in MACHINE.finditer(text)]
    assert not faults


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_a_hash(lock: Path) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text().strip())
    assert blocks
    for block in blocks:
        assert "==" in block.splitlines()[0], block
        assert "--hash=sha256:" in block, block


def test_both_pythons_have_the_same_lock_files() -> None:
    tags: dict[str, set[str]] = {}
    for lock in LOCKS:
        tag, name = lock.stem.split("-", 1)
        tags.setdefault(tag, set()).add(name)
    assert tags == {"py311": tags["py311"], "py312": tags["py311"]}


def test_package_lock_names_no_address() -> None:
    for path, text in texts():
        if path.name == "package-lock.json":
            assert '"resolved"' not in text, path
            assert '"integrity"' in text, path


def test_the_example_settings_are_usable() -> None:
    settings = load(ROOT / "docs" / "vestige.example.toml", {})
    assert settings.trust.issuers[0].issuer == settings.fhir.servers[0].issuer


def test_every_file_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    named = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if not link.startswith("http")]
    assert named
    assert not [link for link in named if not (ROOT / link).exists()]


@pytest.mark.parametrize("document", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_every_test_that_a_document_names_exists(document: Path) -> None:
    named = set(re.findall(r"`(tests/[\w./-]+)`", document.read_text()))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_each_invariant_names_its_tests() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", table, re.MULTILINE)
    assert [number for number, _ in rows] == [str(number) for number in range(1, 12)]
    assert all("`tests/" in tests for _, tests in rows)
