"""What a reload carries over and what it does not: users of a revision, keys of clients, sessions of the page."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.in_use import InUse
from cds_hooks.page.ehr import create_ehr
from cds_hooks.reload import Reloading
from cds_hooks.trust.keys import REFRESH_AFTER, KeyCache, KeysUnavailable
from cds_hooks.usecase import UseCase
from fhir_profiles import samples
from plugin.errors import SettingsError
from plugin.settings import FhirServer, Issuer, Settings, Trust
from plugin.settings_changes import RESTART, changed, kept, marks, takes_restart
from plugin.settings_page import PageClient
from tests.cds_hooks.jwts import elliptic, key_set
from tests.cds_hooks.serving import served
from tests.cds_hooks.timeline_page.site import Visitor, page_settings
from tests.contract.test_records import until
from tests.servers.sekmet import free_port


@given(st.lists(st.sampled_from("+-r"), max_size=12))
def test_it_is_closed_once_by_the_last_who_leaves(steps: list[str]) -> None:
    closed: list[int] = []
    used, users, retired = InUse(), 0, False
    for step in steps:
        if step == "r" and not retired:
            retired = True
            used.retire(lambda: closed.append(1))
        elif step == "+" and not closed:
            users += 1
            used.__enter__()
        elif step == "-" and users:
            users -= 1
            used.__exit__(None, None, None)
        assert bool(closed) is (retired and users == 0)
        assert len(closed) <= 1


def test_users_in_many_threads_have_it_closed_once() -> None:
    closed: list[int] = []
    used, start = InUse(), threading.Barrier(9)

    def use() -> None:
        with used:
            start.wait(60)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    start.wait(60)
    used.retire(lambda: closed.append(1))
    for thread in threads:
        thread.join(60)
    assert closed == [1]


def settings(*issuers: Issuer, **more: object) -> Settings:
    return Settings(trust=Trust(issuers=issuers), **more)  # type: ignore[arg-type]


def test_what_changed_is_named_by_key_and_never_by_value(tmp_path: Path) -> None:
    secret = tmp_path / "page.secret"
    secret.write_text("first-secret")
    one, two = (Issuer(issuer=f"https://{name}.example", jku=("https://k.example",)) for name in "ab")
    server = FhirServer(base="https://ehr.example/fhir")
    page = msgspec.structs.replace(
        Settings().page, clients=(PageClient(server=server.base, client_id="v", client_secret=secret),)
    )
    before = marks(settings(one, two, page=page))
    secret.write_text("second-secret")
    assert changed(before, marks(settings(one, two, page=page))) == (
        "page.clients[https://ehr.example/fhir].client_secret",
    )
    secret.write_text("first-secret")
    turned = changed(before, marks(settings(two, msgspec.structs.replace(one, tenants=("t",)), page=page)))
    assert turned == ("trust.issuers", "trust.issuers[https://a.example].tenants")
    gone = changed(before, marks(settings(two, page=page)))
    assert gone[0] == "trust.issuers"
    assert all("https://b.example" not in key for key in gone)
    assert changed(before, before) == ()
    parameters = msgspec.structs.replace(Settings().rules, parameters={"imaging_age_max": 21})
    assert changed(marks(Settings()), marks(Settings(rules=parameters))) == (
        "rules.parameters.imaging_age_max",
    )


def test_what_takes_a_restart_stays_as_it_was() -> None:
    found = marks(Settings())
    for key in RESTART:
        assert takes_restart(found), key
        assert [one for one in found if one == key or one.startswith(f"{key}.")], f"{key} is no key"
    before = Settings()
    service = msgspec.structs.replace(before.service, port=9, open=True, cors_origins=("https://a.example",))
    store = msgspec.structs.replace(before.store, url="sqlite:///other.db", keep_days=7)
    after = kept(before, Settings(service=service, store=store))
    assert (after.service.port, after.service.open, after.store.url) == (8000, False, before.store.url)
    assert (after.service.cors_origins, after.store.keep_days) == (("https://a.example",), 7)
    assert takes_restart(["store.keep_days", "traces.endpoint", "service.port"]) == (
        "traces.endpoint",
        "service.port",
    )


def test_after_a_reload_keys_are_read_anew_and_a_short_outage_shuts_no_door() -> None:
    old, new, now = elliptic(kid="old"), elliptic(kid="new"), 0.0
    answers: list[bytes | None] = [key_set(old), None, key_set(new)]

    def get(address: str) -> bytes:
        body = answers.pop(0)
        if body is None:
            raise KeysUnavailable(f"{address} cannot be reached")
        return body

    first = KeyCache(get, lambda: now)
    assert first.key("https://k.example", "old") is not None
    again = first.again()
    assert again.key("https://k.example", "old") is not None, (
        "what was read stays good while it cannot be read"
    )
    now += REFRESH_AFTER
    assert again.key("https://k.example", "old") is None
    assert again.key("https://k.example", "new") is not None
    assert answers == []


def test_who_is_on_the_page_stays_there_and_sees_what_the_new_rules_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    look = UseCase.look
    monkeypatch.setattr(
        UseCase, "look", lambda self, asked: looked.append(self.revision) or look(self, asked)
    )
    sample = samples.sample("ct-only-watch-and-wait")
    ehr_port, port = free_port(), free_port()
    ehr, service = f"http://127.0.0.1:{ehr_port}", f"http://127.0.0.1:{port}"
    on_disk = [page_settings(tmp_path, f"{ehr}/fhir", service, today=sample.anchor)]

    def read() -> Settings:
        if not on_disk:
            raise SettingsError("service.port: nothing is there")
        return on_disk[0]

    app = Reloading(read)
    with (
        served(create_ehr([sample], origin=ehr, service=service, timeline=True), ehr_port),
        served(app, port),
    ):
        visitor = Visitor(service)
        visitor.open(ehr, sample.hook["context"]["patientId"])
        before = visitor.ask("data").json()
        lesion = before["lesions"][0]["id"]
        assert visitor.ask("why", {"lesion": lesion}).status_code == 200
        assert looked == [before["rulePack"]["revision"]], "the chains are those of what the page shows"
        rules = msgspec.structs.replace(on_disk[0].rules, states={"DA-10": "off"})
        on_disk[0] = msgspec.structs.replace(on_disk[0], rules=rules)
        reload(app, service, "taken")
        assert visitor.ask("why", {"lesion": lesion}).status_code == 200
        after = visitor.ask("data").json()["rulePack"]["revision"]
        assert after != looked[0]
        assert looked[1:] == [after, after], "nothing of what the earlier rules decided is shown"
        on_disk.clear()
        reload(app, service, "refused")
        assert visitor.ask("data").status_code == 200
        assert requests.get(f"{service}/readyz", timeout=60).json()["settingsRefused"] is True


def reload(app: Reloading, service: str, outcome: str) -> None:
    app.ask()
    until(
        lambda: (
            f'vestige_reloads_total{{outcome="{outcome}"}} 1.0'
            in requests.get(f"{service}/metrics", timeout=60).text
        )
    )


def test_a_fault_of_a_reload_ends_no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    made = page_settings(tmp_path, "http://127.0.0.1:9/fhir", f"http://127.0.0.1:{port}", today=None)
    app = Reloading(lambda: made)
    with served(app, port) as service:

        def broken(*_: object) -> None:
            raise ZeroDivisionError("planted")

        monkeypatch.setattr("cds_hooks.reload.check_tables", broken)
        reload(app, service, "refused")
        assert requests.get(f"{service}/readyz", timeout=60).json()["settingsRefused"] is True
        monkeypatch.undo()
        reload(app, service, "taken")
        assert "settingsRefused" not in requests.get(f"{service}/readyz", timeout=60).json()
