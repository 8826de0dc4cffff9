"""The same patient gives the same answer by every road: prefetch, a real FHIR server, a mixture, files on disk.

The sample patients are loaded by transaction into sekmet-fhir, a server written by others; the service runs as a
process of its own with a fixed clock; cards are compared byte for byte, but for uuids and version ids.
"""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from fhir_profiles import samples
from fhir_profiles.read import subject_of
from plugin.pull.queries import PREFETCH
from tests.servers.sekmet import TOKEN, Sekmet, free_port, sekmet, sekmet_bearer  # noqa: F401
from tests.service import Service, running

TODAY = date(2026, 11, 21)
# Cards name the address of the service they come from: the same for both.
ENVIRONMENT = {**os.environ, "VESTIGE_SERVICE__PUBLIC_URL": "https://cds.example"}
NAMES = samples.names()


def plain(value: Any) -> str:
    """Returns a JSON text without what may differ: uuids, and the versions a server gives."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    text = re.sub(r"/_history/[A-Za-z0-9.-]+", "", text)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "UUID", text)


def loaded(server: Sekmet) -> Sekmet:
    for name in NAMES:
        server.load(samples.sample(name, TODAY).bundle)
    return server


@pytest.fixture(scope="module")
def open_server(sekmet: Sekmet) -> Sekmet:  # noqa: F811
    return loaded(sekmet)


@pytest.fixture(scope="module")
def bearer_server(sekmet_bearer: Sekmet) -> Sekmet:  # noqa: F811
    return loaded(sekmet_bearer)


@pytest.fixture(scope="module")
def service(
    open_server: Sekmet, bearer_server: Sekmet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    bases = (open_server.base, bearer_server.base)
    with running(
        tmp_path_factory.mktemp("service"), bases=bases, today=TODAY, environment=ENVIRONMENT
    ) as started:
        yield started


def call_of(name: str, **changes: Any) -> dict[str, Any]:
    hook = samples.sample(name, TODAY).hook
    call = {"hook": hook["hook"], "hookInstance": str(uuid.uuid4()), "context": hook["context"], **changes}
    return {key: value for key, value in call.items() if value is not None}


def access(server: Sekmet) -> dict[str, Any]:
    return {
        "fhirServer": server.base,
        "fhirAuthorization": {
            "access_token": server.token or TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
            "subject": "vestige",
        },
    }


def prefetched(server: Sekmet, call: dict[str, Any]) -> dict[str, Any]:
    """Returns what a careful EHR puts into the prefetch: each template's answer, whole, and of this patient only.

    sekmet-fhir cuts a search into pages of twenty and ignores `patient` on BodyStructure; an EHR that passed these
    on would get a card that says so (tests/contract/test_bad_input.py).
    """
    patient = call["context"]["patientId"]
    answers: dict[str, Any] = {}
    for key, template in PREFETCH.items():
        url = f"{server.base}/{template.replace('{{context.patientId}}', patient)}"
        found, own = [], f"Patient/{patient}"
        while url:
            answer = requests.get(url, headers=server.headers, timeout=30)
            assert answer.status_code == 200, (key, answer.text[:300])
            page = answer.json()
            found += [entry["resource"] for entry in page.get("entry", [])]
            links = {link["relation"]: link["url"] for link in page.get("link", [])}
            url = links.get("next", "")
        ours = [one for one in found if subject_of(one) == own]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(ours)}
        answers[key] = (
            page if "?" not in template else {**bundle, "entry": [{"resource": one} for one in ours]}
        )
    return answers


def cards(service: Service, call: dict[str, Any]) -> list[dict[str, Any]]:
    answer = service.call(call)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["cards"]
    return found


def by_command_line(name: str, folder: Path, hook: str | None = None) -> dict[str, Any]:
    sample = samples.sample(name, TODAY)
    patient, context = folder / f"{name}.json", folder / f"{name}.hook.json"
    patient.write_text(json.dumps(sample.bundle))
    context.write_text(json.dumps(sample.hook))
    ran = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("vestige")), "assess", str(patient), "--json"),
            *("--hook", hook or sample.hook["hook"], "--context", str(context), "--today", TODAY.isoformat()),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
    )
    assert ran.returncode in (0, 1), ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


@pytest.mark.parametrize("name", NAMES)
def test_files_give_what_was_expected(name: str, tmp_path: Path) -> None:
    document = by_command_line(name, tmp_path)
    expected = samples.sample(name, TODAY).expected
    assert {lesion["label"]: lesion["status"] for lesion in document["lesions"]} == expected["lesions"]
    assert document["patientStatus"] == expected["patientStatus"]
    fired: dict[str, set[str]] = {}
    for finding in document["findings"]:
        fired.setdefault(finding["rule"], set()).add(finding["indicator"])
    for rule, indicator in expected["rules"].items():
        assert indicator in fired.get(rule, set()), rule
    assert not set(expected["absent"]) & set(fired)


@pytest.mark.parametrize("name", NAMES)
def test_every_road_gives_the_same_cards(
    name: str, service: Service, open_server: Sekmet, bearer_server: Sekmet, tmp_path: Path
) -> None:
    from_files = by_command_line(name, tmp_path)["cards"]
    call = call_of(name)
    prefetch = prefetched(open_server, call)
    some = {key: prefetch[key] for key in list(prefetch)[::2]}
    roads = {
        "FHIR server, open": call_of(name, **access(open_server)),
        "FHIR server, bearer token": call_of(name, **access(bearer_server)),
        "prefetch alone": call_of(name, prefetch=prefetch),
        "prefetch and FHIR server": call_of(name, prefetch=some, **access(bearer_server)),
    }
    for road, asked in roads.items():
        assert plain(cards(service, asked)) == plain(from_files), road


def test_findings_do_not_depend_on_the_hook(tmp_path: Path) -> None:
    found = []
    for hook in ("patient-view", "order-sign", "encounter-start"):
        document = by_command_line("ct-only-watch-and-wait", tmp_path, hook)
        shown = ("shown", "hiddenBy", "mergedInto")
        found.append(
            [{key: value for key, value in one.items() if key not in shown} for one in document["findings"]]
        )
    assert found[0]
    assert found[0] == found[1] == found[2]


def test_only_missing_keys_are_fetched(service: Service, open_server: Sekmet) -> None:
    call = call_of("ct-only-watch-and-wait")
    prefetch = prefetched(open_server, call)
    whole = cards(service, call_of("ct-only-watch-and-wait", prefetch=prefetch))
    unreachable = {**access(open_server), "fhirServer": f"http://127.0.0.1:{free_port()}/fhir"}
    assert plain(cards(service, {**call, "prefetch": prefetch, **unreachable})) == plain(whole)
