"""The guard over the log finds what it is there for, also in the line that a fault is logged with."""

import logging
from pathlib import Path

import pytest

from tests.conftest import GUARD
from tests.log_guard import check_log

SAID = [
    "Sample-Three was looked at",
    "GET /Observation?patient=vestige-3",
    "vestige-1-cea-2 is unreadable",
    "Authorization: Bearer abc.def",
    "token eyJhbGciOiJFUzM4NCJ9.e30.x",
    "born 1955-01-20",
]


@pytest.mark.parametrize("text", SAID)
def test_it_finds_what_no_line_may_hold(text: str, tmp_path: Path) -> None:
    logging.getLogger("anybody.at.all").warning("it says: %s", text)
    assert len(GUARD.taken()) == 1
    (tmp_path / "log").write_text(f"2026-11-22 10:00:00,123 INFO other {text}\n")
    with pytest.raises(AssertionError, match="is in the log of a service"):
        check_log(tmp_path / "log")


def test_in_lines_of_our_own_no_day_is_in_place() -> None:
    logging.getLogger("vestige.trust").info("seen on 2026-03-01")
    assert len(GUARD.taken()) == 1
    logging.getLogger("other").info("seen on 2026-03-01")
    assert GUARD.taken() == []


def test_ordinary_lines_pass(tmp_path: Path) -> None:
    before = GUARD.seen
    logging.getLogger("vestige").info(
        "call service=crlm-order-sign instance=a6633e6b-2285-49c7-afd3-5e0e46b3d83d"
    )
    assert GUARD.seen == before + 1
    (tmp_path / "log").write_text(
        "2026-11-22 10:00:00,123 INFO vestige call service=x\nTHE CLOCK IS FIXED at 2026-11-21.\n"
    )
    check_log(tmp_path / "log")
