"""What a service says is held to what was read: an invented card, a missing one, a changed word are found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cds_hooks.interop.clean import Cleaned
from cds_hooks.interop.outcome import Check, Examined, Outcome
from cds_hooks.interop.report import as_html, as_json, as_junit
from fhir_profiles import samples
from plugin.probe.journal import REDACTED, Journal
from plugin.settings import Settings, today
from tests.interop.command import Ran, vestige
from tests.interop.writable import WritableEpic
from tests.plugin.sampled import everyone
from tests.servers.ehr import Epic
from tests.servers.hostile import Hostile, Reply, Request, drip_body, resource, serving, status

SAMPLE = "ct-only-watch-and-wait"
SERVICES = [
    {"id": "crlm-order-sign", "hook": "order-sign"},
    {"id": "crlm-lesion-review", "hook": "patient-view"},
]


def lying(cards: Any, code: int = 200) -> Callable[[Request, Hostile], Reply]:
    """A CDS service that gives the same answer to every call."""

    def script(request: Request, server: Hostile) -> Reply:
        if request.path == "/cds-services":
            return resource({"services": SERVICES})
        if cards == "drip":
            return drip_body()
        return resource(cards, code) if cards is not None else status(code)

    return script


INVENTED = {
    "summary": "All clear",
    "indicator": "info",
    "source": {"label": "x", "topic": {"code": "F9Invented"}},
}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ({"cards": []}, 200, "is missing"),
        ({"cards": [INVENTED]}, 200, "rests on nothing that was read"),
        ({}, 200, "no cards in the answer"),
        (None, 500, "HTTP 500"),
        ({"cards": None}, 200, "no cards in the answer"),
        ("drip", 200, "no answer"),
    ],
)
def test_a_lying_service_is_found_out(answer: Any, code: int, words: str, tmp_path: Path) -> None:
    with serving(WritableEpic()) as server, serving(lying(answer, code)) as service:
        ran = vestige(
            *(
                "interop",
                server.base,
                "--json",
                "--own-hook",
                "--sample",
                SAMPLE,
                "--service",
                service.origin,
            ),
            *("--timeout", 20 if answer == "drip" else 300),
            cwd=tmp_path,
        )
        assert server.script.resources == []  # type: ignore[attr-defined]
    assert ran.code == 1
    failed = [
        check["detail"]
        for one in ran.json["patients"]
        for check in one["checks"]
        if check["verdict"] == "fail"
    ]
    assert len(failed) == 2
    assert all(words in one for one in failed)


# ---------------------------------------------------------------------------------------- read-only
def read_only(server: Hostile, folder: Path, *options: object) -> Ran:
    return vestige(
        *("interop", server.base, "--read-only", "--json", "--own-hook", "--timeout", 300, *options),
        cwd=folder,
    )


def test_read_only_writes_nothing_and_finds_nothing_invented(tmp_path: Path) -> None:
    day = today(Settings())
    here = [
        entry["resource"] for name in samples.names() for entry in samples.sample(name, day).bundle["entry"]
    ]
    chosen = [samples.sample(name, day).hook["context"]["patientId"] for name in samples.names()[:2]]
    report = tmp_path / "report.json"
    with serving(Epic(here)) as server:
        ran = read_only(
            *(server, tmp_path, "--patient", chosen[0], "--patient", chosen[1]),
            *("--report", "json", "--output", report),
        )
        assert {one.method for one in server.requests} == {"GET"}
    assert ran.code == 0
    told = ran.json
    assert [one["verdict"] for one in told["patients"]] == ["pass", "pass"]
    assert (told["mode"], told["created"], told["cleaned"]) == ("read-only", 0, None)
    looked = [check for one in told["patients"] for check in one["checks"] if "cited" in check["name"]]
    assert all("resources looked up" in check["detail"] for check in looked)
    # The record itself stays out of the report.
    bodies = [one["got"] for one in json.loads(report.read_text())["exchanges"] if one["got"]]
    assert bodies
    assert all("not kept" in one for one in bodies)


def test_what_vanishes_between_reading_and_looking_is_found(tmp_path: Path) -> None:
    """A resource that a finding rests on and that the server does not have is as good as invented."""

    class Vanishing(Epic):
        def __call__(self, request: Request, server: Hostile) -> Reply:
            kind, _, own = request.path.removeprefix("/fhir/").partition("/")
            return status(404) if kind == "Observation" and own else super().__call__(request, server)

    with serving(Vanishing(everyone())) as server:
        ran = read_only(server, tmp_path, "--patient", "vestige-1-patient")
    assert ran.code == 1
    (check,) = [one for one in ran.json["patients"][0]["checks"] if "cited" in one["name"]]
    assert (check["verdict"], "is not there" in check["detail"]) == ("fail", True)


def test_a_patient_that_is_not_there(tmp_path: Path) -> None:
    with serving(Epic([])) as server:
        assert read_only(server, tmp_path).code == 2
        ran = read_only(server, tmp_path, "--patient", "nobody")
    assert ran.code == 0
    assert ran.json["patients"][0]["lesions"] == {}


# ---------------------------------------------------------------------------------------- reports
EVIL = "<script>alert(1)</script>]]>&\"'\x00\x1b[31m\ud800"


def outcome(text: str, left: tuple[str, ...] = ()) -> Outcome:
    checks = (
        Check(name=text, verdict="fail", detail=text),
        Check(name="b", verdict="differs", detail=text),
        Check(name="c", verdict="pass"),
    )
    patient = Examined(name=text, title=text, patient=text, checks=checks, lesions={text: text}, gaps=(text,))
    return Outcome(
        run=text,
        base=text,
        mode="write",
        service=text,
        version="1",
        pack="2",
        today="2026-11-21",
        started="now",
        patients=[patient],
        notes=[text],
        cleaned=Cleaned(removed=1, absent=0, left=left),
    )


def noted(text: str, secrets: tuple[str, ...] = ()) -> Journal:
    journal = Journal(lambda: secrets)
    journal.note(
        to="fhir",
        method="POST",
        url=f"https://fhir.example/?x={text}",
        about=text,
        sent_headers={"Authorization": f"Bearer {text}", "X-Other": text},
        sent=text.encode("utf-8", "replace"),
        status=200,
        got_headers={"Set-Cookie": text},
        got=text.encode("utf-8", "replace"),
        milliseconds=1.0,
        note=text,
    )
    return journal


def test_html_holds_no_markup_of_others() -> None:
    page = as_html(outcome(EVIL), noted(EVIL).entries).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert "http-equiv" in page


def test_junit_is_valid_xml_whatever_was_said() -> None:
    root = ElementTree.fromstring(as_junit(outcome(EVIL, ("Patient|x: HTTP 409",)), noted(EVIL).entries))
    assert root.tag == "testsuites"
    patient, removal = root.findall("testsuite")
    assert (patient.get("tests"), patient.get("failures")) == ("3", "1")
    assert len(patient.findall("testcase/failure")) == 1
    assert (removal.get("failures"), removal.find("testcase/failure") is not None) == ("1", True)


def test_json_holds_the_whole_run() -> None:
    told = json.loads(as_json(outcome("plain"), noted("plain").entries))
    assert (told["good"], told["counts"]) == (False, {"pass": 0, "differs": 0, "fail": 1})
    assert told["patients"][0]["verdict"] == "fail"
    assert len(told["exchanges"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"access_token":"s3cret-value","token_type":"Bearer"}',
        '{"fhirAuthorization": {"access_token" : "s3cret-value"}}',
        "client_id=vestige&client_secret=s3cret-value&grant_type=client_credentials",
        "client_assertion=s3cret-value",
        "Authorization: Bearer s3cret-value",
        '{"refresh_token":"s3cret-value \\" with a quote"}',
        "nothing that looks like one: s3cret-value",
    ],
)
def test_no_secret_stays_in_the_journal(text: str) -> None:
    (entry,) = noted(text, ("s3cret-value",)).entries
    told = repr(entry)
    assert "s3cret-value" not in told
    assert REDACTED in told
    known_by_shape = noted(text).entries[0]
    if "nothing that looks" not in text:
        assert "s3cret-value" not in str(known_by_shape.got)


def test_long_bodies_are_cut_and_say_so() -> None:
    journal = Journal()
    journal.note(
        to="fhir",
        method="GET",
        url="x",
        sent_headers={},
        sent=None,
        status=200,
        got_headers={},
        got=b"x" * 300_000,
        milliseconds=0.0,
    )
    assert str(journal.entries[0].got).endswith("more characters were cut)")


def test_a_run_is_good_only_when_all_is_well() -> None:
    good = outcome("x")
    good.patients = [Examined(name="a", title="a", patient="a", checks=(Check(name="a", verdict="pass"),))]
    assert good.good
    good.interrupted = True
    assert not good.good
    good.interrupted, good.patients = False, []
    assert not good.good
    left = outcome("x", ("Patient|a: HTTP 500",))
    left.patients = [Examined(name="a", title="a", patient="a", checks=(Check(name="a", verdict="differs"),))]
    assert not left.good
    left.cleaned = None
    assert left.good
    left.patients = [Examined(name="a", title="a", patient="a", checks=())]
    assert not left.good
