"""SIGHUP on a real service: another revision takes over while calls are answered, or the earlier one stays."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import uuid
from datetime import date
from pathlib import Path
from typing import Any

import requests

from plugin.record import SETTINGS
from tests.cds_hooks.jwts import PUBLIC, Client, elliptic, key_file, key_set
from tests.contract.test_engine_lost import call, workers
from tests.contract.test_records import figures, records, until, verified
from tests.service import Service, running

TODAY = date(2026, 11, 21)
PACKAGED = Path(__file__).parents[2] / "rules" / "crlm"
RULE = "DA-10"
HEAD = '[service]\nhook_deadline = 60.0\n[rules]\nengine = "{engine}"\n'


class Site:
    """A running service and the file of its settings."""

    def __init__(self, service: Service, file: Path) -> None:
        self.service, self.file = service, file

    def reload(self, text: str | None = None) -> dict[str, str]:
        """Writes settings, sends the signal and returns the figures once the service has read them."""
        before = sum(self.reloads().values())
        if text is not None:
            self.file.write_text(text)
        os.kill(self.service.pid, signal.SIGHUP)
        until(lambda: sum(self.reloads().values()) > before)
        return figures(self.service)

    def reloads(self) -> dict[str, float]:
        found = {name: float(value) for name, value in figures(self.service).items()}
        return {name: value for name, value in found.items() if name.startswith("vestige_reloads_total")}

    def ready(self) -> dict[str, Any]:
        answer = requests.get(f"{self.service.address}/readyz", timeout=60)
        assert answer.status_code == 200, "a refused reload takes no service away"
        found: dict[str, Any] = answer.json()
        return found

    def revision(self) -> str:
        answer = requests.get(f"{self.service.address}/cds-services", timeout=60).json()
        return str(answer["services"][0]["extension"]["example.vestige.rule-pack"]["revision"])

    def cards(self) -> list[str]:
        answer = self.service.call(call())
        assert answer.status_code == 200, answer.text
        return [card["summary"] for card in answer.json()["cards"]]


def head(engine: str = "reference") -> str:
    return HEAD.format(engine=engine)


def test_no_call_fails_and_the_revision_switches_once(tmp_path: Path) -> None:
    file = tmp_path / "vestige.toml"
    file.write_text(head("pool"))
    with running(tmp_path, today=TODAY, options=["--config", str(file)]) as service:
        site = Site(service, file)
        before, shown = site.revision(), site.cards()
        assert shown
        answers: list[requests.Response] = []
        done = threading.Event()

        def steady() -> None:
            while not done.is_set():
                answers.append(service.call(call()))

        threads = [threading.Thread(target=steady) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(answers) >= 4)
            found = site.reload(f'{head("pool")}states = {{ {RULE} = "off" }}\n')
            reached = len(answers)
            until(lambda: len(answers) >= reached + 4)
        finally:
            done.set()
            for thread in threads:
                thread.join(120)
        assert [one.status_code for one in answers] == [200] * len(answers)
        after = site.revision()
        assert before != after
        assert after.startswith(f"{before}+site.")
        assert found["vestige_reload_refused"] == "0.0"
        assert site.ready()["rulePack"] == after
        assert site.cards() != shown
        if Path("/proc/self/stat").exists():
            until(lambda: len(workers(service)) == 1)
        log = service.log.read_text()
        assert "alarm settings" not in log
        assert f"settings taken rules={after} changed=rules.states.{RULE} restart=no" in log
    kept = records(tmp_path)
    calls = [one for one in kept if one.service != SETTINGS]
    assert len(calls) == len(answers) + 2, (
        "each answered call has its record, also those of the revision that ended"
    )
    # In the order in which they were made: two calls that ran side by side may be recorded across the switch.
    revisions = [one.pack_revision for one in calls]
    assert set(revisions) == {before, after}
    assert sum(one != other for one, other in zip(revisions, revisions[1:], strict=False)) <= 3
    for one in calls:
        off = one.pack_revision == after
        assert (one.states.get(RULE) == "off") is off
        assert any(finding.rule == RULE for finding in one.findings) is not off
    assert len({one.settings for one in calls}) == 2
    (change,) = [one for one in kept if one.service == SETTINGS]
    assert (change.outcome, change.changed) == ("reloaded", (f"rules.states.{RULE}",))
    assert (change.pack_revision, change.settings) == (after, calls[-1].settings)
    verified(tmp_path)


def broken_table(pack: Path) -> None:
    """Changes what one row of a test table is given, so that the rule does not say what the row wants."""
    file = pack / "statements" / "70-advice.yaml"
    text = file.read_text()
    place = text.index("    tests:", text.index(f"id: {RULE}\n"))
    rest = text[place:]
    assert "silent" in rest
    file.write_text(text[:place] + rest.replace("silent", "fires", 1))


def test_what_cannot_be_used_leaves_the_earlier_revision_in_force(tmp_path: Path) -> None:
    file, pack = tmp_path / "vestige.toml", tmp_path / "rules"
    shutil.copytree(PACKAGED, pack)
    good = f'{head()}pack = "{pack}"\n'
    file.write_text(good)
    with running(tmp_path, today=TODAY, options=["--config", str(file)]) as service:
        site = Site(service, file)
        revision, shown = site.revision(), site.cards()

        def refused(words: str, text: str | None = None) -> None:
            found = site.reload(text)
            assert found["vestige_reload_refused"] == "1.0"
            assert site.ready()["settingsRefused"] is True
            assert site.revision() == revision
            assert site.cards() == shown
            (*_, line) = [
                one for one in service.log.read_text().splitlines() if "alarm settings refused" in one
            ]
            assert words in line

        refused("is no valid TOML", "[service\n")
        refused("unknown key service.prot", "[service]\nprot = 1\n")
        refused("rules.states", f'{good}states = {{ {RULE} = "perhaps" }}\n')
        refused("there are no texts for", f'{good}[cards]\nlanguage = "xx"\n')
        # Texts are read when a card is written: a file that is spoilt must not reach a card before it is taken.
        texts = pack / "text" / "en.yaml"
        whole = texts.read_bytes()
        texts.write_bytes(b"language: en\nno: [\n")
        assert site.cards() == shown
        refused("text/en.yaml", good)
        texts.write_bytes(whole)
        statements = pack / "statements" / "70-advice.yaml"
        rules = statements.read_bytes()
        broken_table(pack)
        refused("rules.pack: its test tables fail")
        statements.write_bytes(rules + b"\n# a note\n")
        assert site.reload()["vestige_reload_refused"] == "0.0"
        assert "settingsRefused" not in site.ready()
        assert site.revision() != revision
        assert site.cards() == shown
        log = service.log.read_text()
        assert "Traceback" not in log
        assert "changed=rules.pack" in log
    changes = [one for one in records(tmp_path) if one.service == SETTINGS]
    assert [one.outcome for one in changes] == ["reload-refused"] * 6 + ["reloaded"]
    assert {one.pack_revision for one in changes[:6]} == {revision}
    assert changes[-1].changed == ("rules.pack",)


def trusted(client: Client, keys: Path) -> str:
    return f'[[trust.issuers]]\nissuer = "{client.issuer}"\njwks_file = "{keys}"\n'


def test_trust_changes_and_what_takes_a_restart_is_named(tmp_path: Path) -> None:
    file = tmp_path / "vestige.toml"
    first, second = elliptic("https://one.example", "k-1"), elliptic("https://two.example", "k-2")
    keys = {one.issuer: key_file(tmp_path, one) for one in (first, second)}
    top = f'[service]\npublic_url = "{PUBLIC}"\nhook_deadline = 60.0\n'
    rest = '[rules]\nengine = "reference"\n'
    trust = "[trust]\nbehind_tls_proxy = true\n"
    file.write_text(top + rest + trust + trusted(first, keys[first.issuer]))
    with running(tmp_path, options=["--config", str(file)], trusting=False) as service:
        site = Site(service, file)

        def status(client: Client) -> int:
            return asked(service, client.token())

        token = first.token()
        assert (asked(service, token), status(second)) == (200, 401)
        later = (
            f'{top}port = 1\ncors_origins = ["https://ehr.example"]\n[store]\nurl = "sqlite:///other.db"\n'
        )
        site.reload(later + rest + trust + trusted(second, keys[second.issuer]))
        assert (status(first), status(second)) == (401, 200)
        # The option of the command line stands before the file, and stays.
        assert site.ready()["waitingForRestart"] == ["store.url"]
        preflight = requests.options(
            f"{service.address}/cds-services",
            headers={"Origin": "https://ehr.example", "Access-Control-Request-Method": "GET"},
            timeout=60,
        )
        assert preflight.headers["access-control-allow-origin"] == "https://ehr.example"
        site.reload(top + rest + trust + "".join(trusted(one, keys[one.issuer]) for one in (first, second)))
        assert "waitingForRestart" not in site.ready()
        assert (status(first), status(second)) == (200, 200)
        assert asked(service, token) == 401, "a token that was used before two reloads is used up"
        # The same settings, other keys: the file is read when it is asked for, and not before.
        renewed = elliptic(second.issuer, "k-3")
        keys[second.issuer].write_bytes(key_set(renewed))
        assert (status(second), status(renewed)) == (200, 401)
        site.reload()
        assert (status(second), status(renewed)) == (401, 200)
        log = service.log.read_text()
        assert "changed=trust.issuers[https://two.example].jwks_file restart=no" in log
        assert "restart=store.url" in log
    assert not (tmp_path / "other.db").exists()
    changes = [one.changed for one in records(tmp_path) if one.service == SETTINGS]
    assert len(changes) == 3
    assert {"trust.issuers[https://one.example].issuer", "service.cors_origins"} <= set(changes[0])
    assert "store.url" not in changes[0], "it is not in force"


def asked(service: Service, token: str) -> int:
    body = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/u", "patientId": "p"},
        "prefetch": call()["prefetch"],
    }
    answer = requests.post(
        f"{service.address}/cds-services/crlm-lesion-review",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=90,
    )
    # 412: the client is believed, and its prefetch is another patient's.
    return 200 if answer.status_code in (200, 412) else answer.status_code
