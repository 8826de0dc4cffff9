"""The disk is full while the service runs: calls are answered, the alarm is there, no record is lost."""

from __future__ import annotations

import resource
from pathlib import Path

import requests

from tests.contract.test_bad_input import TODAY, call_of, ordinary
from tests.contract.test_records import figures, verified
from tests.faults.test_load import cards, recorded, until
from tests.servers.hostile import serving
from tests.service import running

NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def test_a_full_disk_costs_no_answer_and_no_record(tmp_path: Path) -> None:
    (tmp_path / "vestige.toml").write_text(
        '[rules]\nengine = "reference"\n[service]\nhook_deadline = 120.0\n'
    )
    options = ["--config", str(tmp_path / "vestige.toml")]
    answered = []
    with (
        serving(ordinary) as server,
        running(tmp_path, bases=[server.base], today=TODAY, options=options) as service,
    ):
        answered.append(cards(service.call(call_of(server.base))))
        until(lambda: figures(service)["vestige_records_waiting"] == "0.0")
        # No file grows any more: not the spool, not the database, not the log.
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        answered += [cards(service.call(call_of(server.base))) for _ in range(3)]
        until(lambda: figures(service)["vestige_database_away"] == "1.0")
        full = figures(service)
        assert full["vestige_records_held"] == "3.0"
        assert float(full["vestige_record_faults"]) > 0
        assert full["vestige_records_lost_total"] == "0.0"
        assert requests.get(f"{service.address}/healthz", timeout=60).status_code == 200
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, NO_LIMIT)
        until(lambda: figures(service)["vestige_records_waiting"] == "0.0")
        assert figures(service)["vestige_database_away"] == "0.0"
    assert recorded(tmp_path) == answered
    verified(tmp_path)
