"""The systemd unit: read by systemd itself, hardened, and in step with what the service needs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cds_hooks.server import grace_of
from plugin.settings import Service
from tests.require import ROOT, require

UNIT = ROOT / "deploy" / "systemd" / "vestige.service"
# What `systemd-analyze security` may give at most: 10 is a service that may do anything.
EXPOSURE = 2.0


def values(name: str) -> list[str]:
    """Every value of a setting, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a command that is there."""
    vestige = Path(sys.executable).with_name("vestige")
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/opt/vestige/bin/vestige", str(vestige)))
    return path


def test_systemd_takes_it(unit: Path) -> None:
    command = [str(require("systemd-analyze")), "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if "failed to initialize manager" in done.stderr.lower():
        pytest.skip("systemd-analyze cannot work in this place")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_finds_little_to_be_exposed(unit: Path) -> None:
    command = [str(require("systemd-analyze")), "security", "--offline=yes", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze looks at running units only")
    (found,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert float(found) <= EXPOSURE


def test_its_limits_fit_the_service() -> None:
    # Answers under way, then what waits for the database, and some more.
    assert int(values("TimeoutStopSec")[0]) >= grace_of(Service()) + 10
    assert values("KillMode") == ["mixed"], "an engine that is told to end costs the calls that it is at"
    assert values("RestartPreventExitStatus") == ["2"], "exit code 2: settings that cannot be used"
    assert values("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    assert values("StateDirectory") == ["vestige"]
    assert values("WorkingDirectory") == ["%S/vestige"], "database and spool are named from there"


def test_secrets_are_files_and_none_is_in_it() -> None:
    assert values("LoadCredential") == ["pseudonym.key:/etc/vestige/pseudonym.key"]
    assert "VESTIGE_STORE__PSEUDONYM_KEY=%d/pseudonym.key" in values("Environment")
    assert values("EnvironmentFile") == ["-/etc/vestige/secrets.env"]
    assert not [one for one in values("Environment") if "://" in one]


def test_it_may_do_little() -> None:
    for name, value in {
        "DynamicUser": "yes",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "CapabilityBoundingSet": "",
        "UMask": "0077",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    }.items():
        assert values(name) == [value], name
