"""The set-up says in one line what is missing, and passes over an interpreter that exists and does not run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BROKEN = "#!/bin/sh\necho 'shim: version not installed' >&2\nexit 127\n"
NEWER = "#!/bin/sh\necho 313\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the set-up script only, and a search path with nothing but what a test puts there."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "install.sh", tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "dirname", "rm", "cat", "touch", "env"):
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def tool(checkout: Path, name: str, text: str) -> None:
    path = checkout / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def install(checkout: Path, step: str = "python") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "scripts" / "install.sh"), step],
        env={"PATH": str(checkout / "bin"), "HOME": os.environ.get("HOME", "")},
        capture_output=True,
        text=True,
        cwd=checkout,
    )


def test_without_a_python_one_line_says_how_to_get_one(checkout: Path) -> None:
    ran = install(checkout)
    assert ran.returncode == 1
    assert ran.stderr.startswith("vestige: needs Python 3.11 or 3.12")
    assert len(ran.stderr.splitlines()) == 1


def test_a_python_that_is_too_new_is_refused_with_the_reason(checkout: Path) -> None:
    tool(checkout, "python3", NEWER)
    ran = install(checkout)
    assert ran.returncode == 1
    assert "Python 3.13 cannot load durable_rules" in ran.stderr


def test_a_shim_that_fails_is_passed_over(checkout: Path) -> None:
    tool(checkout, "python3.12", BROKEN)
    real = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    tool(checkout, "python3.11", f'#!/bin/sh\nexec "{real}" "$@"\n')
    ran = install(checkout)
    assert ran.returncode == 0, ran.stderr
    assert (checkout / ".venv" / "python-tag").read_text().strip() == f"py3{sys.version_info.minor}"


def test_without_a_compiler_one_line_says_so(checkout: Path) -> None:
    test_a_shim_that_fails_is_passed_over(checkout)
    ran = install(checkout, "runtime")
    assert ran.returncode == 1
    assert "vestige: needs a C compiler" in ran.stderr


def test_an_unknown_step_is_refused(checkout: Path) -> None:
    assert install(checkout, "nonsense").returncode == 1
