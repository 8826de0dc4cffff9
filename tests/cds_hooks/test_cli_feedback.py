"""`vestige feedback report`: what it counts, what it says of cards without feedback, and its exit codes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugin.database import migrate
from plugin.sent import SentRule
from plugin.store import Store
from tests.plugin.test_sent import HERE, sent
from tests.plugin.test_store import item
from tests.servers import postgresql

AUTUMN = datetime(2026, 10, 1, tzinfo=UTC)
# The last hour of 30 September in UTC is 1 October in Amsterdam.
NIGHT = datetime(2026, 9, 30, 22, 30, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, tzinfo=UTC)


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("vestige")), "feedback", "report", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1", **environment},
    )


def filled(url: str) -> str:
    store = Store(url)
    cards = [sent(made=AUTUMN) for _ in range(5)]
    cards += [
        sent(made=SUMMER, rules=(SentRule(rule="DC-01"),)),
        sent(made=NIGHT, rules=(SentRule(rule="DQ-11"),)),
    ]
    store.add_sent(cards)
    one, two, three, *_ = cards
    store.add_feedback(
        [
            item(one.card, reason_code="mdt-decision", **HERE),
            item(two.card, commented=True, **HERE),
            item(three.card, outcome="accepted", accepted=("s1",), **HERE),
            item("nobody-sent-this", reason_code="x", **HERE),
        ]
    )
    store.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield filled(f"sqlite:///{tmp_path / 's.db'}")
        return
    with postgresql.running() as found:
        yield filled(found)


def test_the_report_as_json(url: str, tmp_path: Path) -> None:
    done = run("--store", url, "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["cards"] == {
        "name": "all cards",
        "shown": 7,
        "patients": 7,
        "answered": 3,
        "silent": 4,
        "accepted": {
            "count": 1,
            "of": 3,
            "share": 1 / 3,
            **bounds(told["cards"]["accepted"], 0.0615, 0.7923),
        },
        "overridden": {
            "count": 2,
            "of": 3,
            "share": 2 / 3,
            **bounds(told["cards"]["overridden"], 0.2077, 0.9385),
        },
        "reasons": told["cards"]["reasons"],
    }
    assert {name: one["count"] for name, one in told["cards"]["reasons"].items()} == {
        "mdt-decision": 1,
        "words only": 1,
    }
    assert [(one["name"], one["shown"], one["answered"]) for one in told["rules"]] == [
        ("DA-01", 5, 3),
        ("DA-10", 5, 3),
        ("DC-01", 1, 0),
        ("DQ-11", 1, 0),
    ]
    assert told["rules"][2]["accepted"] == {"count": 0, "of": 0, "share": None, "low": None, "high": None}
    assert (told["unmatchedFeedback"], told["acceptedWithoutOurSuggestion"]) == (1, 0)
    assert told["packRevisions"] == ["abc123"]
    assert any("ignored" in caveat for caveat in told["caveats"])


def bounds(found: dict[str, float], low: float, high: float) -> dict[str, float]:
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=1e-4)
    return {"low": found["low"], "high": found["high"]}


def test_the_report_for_a_person(tmp_path: Path) -> None:
    done = run("--store", filled(f"sqlite:///{tmp_path / 's.db'}"), cwd=tmp_path)
    assert done.returncode == 0
    assert "7 cards sent to 7 patients: 3 answered, 4 without feedback." in done.stdout
    assert "DA-10" in done.stdout
    assert "33 % (6-79, n=3)" in done.stdout
    assert "mdt-decision" in done.stdout
    assert "A card that was ignored sends nothing back and says nothing." in done.stdout


def test_since_a_day_of_the_site(tmp_path: Path) -> None:
    url = filled(f"sqlite:///{tmp_path / 's.db'}")
    (tmp_path / "v.toml").write_text(f'[site]\ntimezone = "Europe/Amsterdam"\n[store]\nurl = "{url}"\n')
    here = json.loads(run("--config", "v.toml", "--since", "2026-10-01", "--json", cwd=tmp_path).stdout)
    assert (here["since"], here["cards"]["shown"]) == ("2026-10-01", 6)
    utc = json.loads(run("--store", url, "--since", "2026-10-01", "--json", cwd=tmp_path).stdout)
    assert utc["cards"]["shown"] == 5


def test_nothing_to_report_is_exit_code_1(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    Store(url).close()
    done = run("--store", url, cwd=tmp_path)
    assert done.returncode == 1
    assert "0 cards sent to 0 patients" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--store", "nonsense"], "is no database address"),
        (["--store", "mysql://u:hush@h/x"], "store.url"),
        (["--store", "sqlite:///s.db", "--since", "yesterday"], "is no date"),
        (["--store", "sqlite:///s.db", "--config", "v.toml"], "not both"),
        (["--config", "none.toml"], "cannot be read"),
    ],
)
def test_unusable_input_is_exit_code_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path / 's.db'}").close()
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "hush" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_cannot_be_read_is_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database, whatever its name says " * 20)
    Store(f"sqlite:///{tmp_path / 'old.db'}").close()
    migrate(f"sqlite:///{tmp_path / 'old.db'}", "0001")
    for url, words in {
        "sqlite:///none.db": "no such database",
        "sqlite:///text.db": "cannot be used",
        "sqlite:///old.db": "at step 0001",
        "postgresql://user:hush@127.0.0.1:1/x": "cannot be used",
    }.items():
        done = run("--store", url, cwd=tmp_path)
        assert done.returncode == 3, (url, done)
        assert words in done.stderr
        assert "hush" not in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "none.db").exists(), "a report makes no database"


def test_without_options_the_database_of_the_settings(tmp_path: Path) -> None:
    filled(f"sqlite:///{tmp_path / 'mine.db'}")
    done = run("--json", cwd=tmp_path, VESTIGE_STORE__URL="sqlite:///mine.db")
    any_: dict[str, Any] = json.loads(done.stdout)
    assert any_["cards"]["shown"] == 7
