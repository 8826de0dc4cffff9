"""`vestige capture` and `vestige replay`: the same decision byte for byte, and nobody's name in a pseudonymised one."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles import samples
from plugin.capture.document import VERSION, Call, Capture, canonical, read_capture, write_capture
from plugin.capture.pseudonym import Pseudonyms
from plugin.capture.pseudonymisation import pseudonymised
from plugin.capture.take import replayed, take
from plugin.chart import GapReason
from plugin.errors import InputError
from plugin.pull import HookInput
from plugin.settings import Fhir, FhirServer, Settings
from rules.evaluate import Evaluator
from tests.interop.command import vestige
from tests.plugin.sampled import everyone
from tests.servers.ehr import Epic, Oracle, Plain
from tests.servers.hostile import Hostile, Reply, Request, serving, status

LIMITS = Fhir(budget=60.0, read_timeout=60.0, connect_timeout=20.0)
TOKEN = "capture-secret-token"


def called(name: str, base: str, **more: Any) -> HookInput:
    context = samples.sample(name).hook["context"]
    return HookInput(
        hook=samples.sample(name).hook["hook"],
        patient_id=context["patientId"],
        context=context,
        fhir_server=base,
        **more,
    )


def taken(name: str, script: Any, rules: Evaluator, **more: Any) -> Capture:
    with serving(script) as server:
        limits = msgspec.structs.replace(LIMITS, servers=(FhirServer(base=server.base, open=True),))
        return take(
            called(name, server.base, **more), Settings(fhir=limits), rules, today=samples.sample(name).anchor
        )


def again(capture: Capture, rules: Evaluator) -> bool:
    """Whether a capture gives the same decision, after it was written and read."""
    through = msgspec.convert(msgspec.json.decode(msgspec.json.encode(capture)), Capture)
    return canonical(replayed(through, rules)) == canonical(capture.decision)


def statuses(capture: Capture) -> list[str]:
    return [one["status"] for one in capture.decision["lesions"]]


@pytest.mark.parametrize("name", samples.names())
def test_a_capture_replays_without_its_server(name: str, rules: Evaluator) -> None:
    found = taken(name, Epic(everyone()), rules)
    assert (found.start, found.chart) == ("pages", None)
    assert again(found, rules)
    bare = pseudonymised(found)
    bare = msgspec.structs.replace(bare, decision=replayed(bare, rules))
    assert again(bare, rules)
    assert sorted(statuses(bare)) == sorted(statuses(found))
    assert bare.decision["patientStatus"] == found.decision["patientStatus"]
    assert [one["rule"] for one in bare.decision["findings"]] == [
        one["rule"] for one in found.decision["findings"]
    ]


class Faulty(Plain):
    """Fails at some resource types, each in its own way."""

    def __call__(self, request: Request, server: Hostile) -> Reply:
        codes = {"Procedure": 403, "CarePlan": 500, "Device": 429, "ImagingStudy": 404}
        kind = request.path.split("/")[2]
        return status(codes[kind]) if kind in codes else super().__call__(request, server)


@pytest.mark.parametrize("script", [Oracle(everyone()), Faulty(everyone())], ids=["oracle", "faults"])
def test_gaps_are_captured_too(script: Plain, rules: Evaluator) -> None:
    found = taken("cea-discordant", script, rules)
    assert found.start == "pages"
    assert found.decision["gaps"]
    assert again(found, rules)
    bare = pseudonymised(found)
    assert replayed(bare, rules)["gaps"] == found.decision["gaps"]


def test_what_changes_the_record_changes_the_replay(rules: Evaluator) -> None:
    """The check can fail: without a page there is a gap, and with it another decision."""
    found = taken("cea-discordant", Epic(everyone()), rules)
    pages = [one for one in found.pages if not one.link.startswith("BodyStructure")]
    assert not again(msgspec.structs.replace(found, pages=pages), rules)


def test_reading_that_ran_out_of_time_is_captured_as_it_ended(rules: Evaluator) -> None:
    """Pages alone would give more than was there in time: the capture then begins with the chart."""
    found = taken("cea-discordant", Epic(everyone()), rules)
    assert found.start == "pages"
    late = msgspec.structs.replace(found, start="chart")
    with pytest.raises(InputError, match="begins with a chart"):
        replayed(late, rules)


# ---------------------------------------------------------------------------------------- the command
@pytest.fixture
def call_file(tmp_path: Path) -> Path:
    path = tmp_path / "call.json"
    path.write_text(json.dumps(samples.sample("ct-only-watch-and-wait").hook))
    return path


def test_from_a_server_and_back(call_file: Path, tmp_path: Path) -> None:
    anchor = samples.sample("ct-only-watch-and-wait").anchor.isoformat()
    with serving(Epic(everyone())) as server:
        ran = vestige(
            *("capture", call_file, "--output", "one.json", "--fhir-server", server.base, "--today", anchor),
            *("--secret-env", "THE_TOKEN", "--timeout", 300),
            cwd=tmp_path,
            THE_TOKEN=TOKEN,
        )
        assert server.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
    assert (ran.code, "WITH PATIENT DATA" in ran.out) == (0, True)
    capture = tmp_path / "one.json"
    assert TOKEN not in capture.read_text()
    assert capture.stat().st_mode & 0o077 == 0
    assert vestige("replay", capture, cwd=tmp_path).code == 0
    capture.write_text(capture.read_text().replace('"2026-10-24"', '"2026-10-23"'))
    other = vestige("replay", capture, cwd=tmp_path)
    assert other.code == 1
    assert "+" in other.out
    again_ = vestige("capture", call_file, "--output", "one.json", "--record", call_file, cwd=tmp_path)
    assert again_.code == 2


def test_from_files(call_file: Path, tmp_path: Path) -> None:
    sample = samples.sample("ct-only-watch-and-wait")
    (tmp_path / "patient.json").write_text(json.dumps(sample.bundle))
    ran = vestige(
        *(
            "capture",
            call_file,
            "--output",
            "two.json",
            "--record",
            "patient.json",
            "--pseudonymise",
            "--json",
        ),
        *("--today", sample.anchor.isoformat()),
        cwd=tmp_path,
    )
    assert (ran.code, ran.json["start"], ran.json["pseudonymised"]) == (0, "chart", True)
    assert set(ran.json["lesions"].values()) == {"APPARENT_DLM"}
    text = (tmp_path / "two.json").read_text()
    assert not re.findall("vestige-1|Sample-One|1961-03-14|2026-10-2", text)
    ran = vestige("replay", "two.json", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["same"], ran.json["differences"]) == (0, True, [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is no capture"),
        ("[]", "is no capture"),
        ('{"format": "vestige-capture", "version": 99}', "version 99"),
        ('{"format": "vestige-capture", "version": 1}', "is no capture"),
    ],
)
def test_what_is_no_capture_is_refused(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(content)
    ran = vestige("replay", "file", cwd=tmp_path)
    assert ran.code == 2
    assert words in ran.err


def test_a_capture_is_written_once(rules: Evaluator, tmp_path: Path) -> None:
    found = taken("nothing-to-say", Epic(everyone()), rules)
    path = tmp_path / "capture.json"
    write_capture(path, found)
    assert msgspec.json.encode(read_capture(path)) == msgspec.json.encode(found)
    assert json.loads(path.read_text())["version"] == VERSION
    with pytest.raises(InputError, match="exists"):
        write_capture(path, found)


# ---------------------------------------------------------------------------------------- nobody's name
WORDS = st.text("bcdfghjklmnpqrstvwxyz", min_size=9, max_size=14).map(lambda text: f"Q{text}")
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.-]{8,20}[A-Za-z0-9]", fullmatch=True).filter(
    lambda text: not re.fullmatch(r"[0-9.]+", text)
)
DAYS = st.dates(date(1930, 1, 1), date(2026, 12, 31))
KEYS = st.sampled_from(
    [
        "text",
        "display",
        "description",
        "title",
        "note",
        "comment",
        "conclusion",
        "valueString",
        "label",
        "author",
    ]
    + ["unit", "code", "status", "valueCode", "language", "started", "effectiveDateTime", "birthDate", "url"]
    + [
        "reference",
        "id",
        "fullUrl",
        "system",
        "value",
        "performerId",
        "encounterId",
        "diagnostics",
        "div",
        "name",
    ]
)


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, Any], set[str]]:
    """A resource with names, ids and days in every corner, and these."""
    names = draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))
    ids = draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
    days = draw(st.lists(DAYS, min_size=1, max_size=3, unique=True))
    told = [
        *names,
        *(f"Dr. {name}, ward 4" for name in names),
        *ids,
        *(f"Patient/{own}" for own in ids),
        *(f"https://hospital.example/r4/Patient/{own}/_history/3" for own in ids),
        *(f"urn:uuid:{own}" for own in ids),
        *(day.isoformat() for day in days),
        *(f"{day.isoformat()}T08:15:00+01:00" for day in days),
        *(f"seen on {day.isoformat()} by {name}" for day in days for name in names),
    ]
    text = st.sampled_from(told)
    value = st.recursive(
        text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    )
    resource = {
        **draw(st.dictionaries(KEYS, value, max_size=6)),
        "resourceType": "Observation",
        "id": ids[0],
        "identifier": [{"system": f"https://hospital.example/{names[0]}", "value": draw(text)}],
        "subject": {"reference": f"Patient/{ids[-1]}", "display": names[0]},
        "effectiveDateTime": days[0].isoformat(),
        "code": {"coding": [{"system": "http://loinc.org", "code": "21889-1", "display": names[0]}]},
        "extension": [{"url": f"https://hospital.example/{draw(text)}", "valueString": draw(text)}],
    }
    return resource, {*names, *ids, *(day.isoformat() for day in days)}


def bare(resource: dict[str, Any], days: int) -> Capture:
    """A capture that holds a resource in every place, pseudonymised."""
    patient = str(resource["subject"]["reference"]).removeprefix("Patient/")
    link = [{"relation": "next", "url": f"https://hospital.example/r4?page={resource['id']}"}]
    page = {"resourceType": "Bundle", "link": link, "entry": [{"fullUrl": "urn:x", "resource": resource}]}
    empty: dict[str, Any] = {"lesions": [], "gaps": []}
    whole = {
        "format": "vestige-capture",
        "version": 1,
        "vestige": "0",
        "pseudonymised": False,
        "today": date(2026, 11, 21),
        "start": "pages",
        "chart": None,
        "dialect": None,
        "decision": empty,
        "pack": {"id": "crlm", "version": "1", "revision": "r"},
        "settings": {"site": {"name": "A hospital"}},
        "call": {
            "hook": "order-sign",
            "patient": patient,
            "context": {
                "patientId": patient,
                "userId": f"Practitioner/{resource['id']}",
                "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": resource}]},
                "selections": [f"ServiceRequest/{resource['id']}"],
            },
            "prefetch": {"imaging": page, resource["id"]: page},
            "fhirServer": "https://hospital.example/r4",
        },
        "pages": [
            {"link": f"Observation?patient={patient}&category=imaging", "resource": page},
            {"link": f"https://hospital.example/r4?page={resource['id']}", "resource": page},
            {"link": f"BodyStructure/{resource['id']}", "reason": "not-found", "detail": "not there"},
        ],
    }
    return pseudonymised(msgspec.convert(whole, Capture), days)


@settings(max_examples=100)
@given(records(), st.integers(-3000, -200))
def test_a_pseudonymised_capture_holds_no_name_no_id_and_no_date(
    record: tuple[dict[str, Any], set[str]], days: int
) -> None:
    resource, private = record
    text = msgspec.json.encode(bare(resource, days)).decode()
    moved = {
        (date.fromisoformat(one) + timedelta(days=days)).isoformat()
        for one in private
        if re.fullmatch(r"\d{4}-\d\d-\d\d", one)
    }
    # A moved date may fall on another one of the record: that one says nothing of it.
    assert not [one for one in private - moved if one in text]
    assert "hospital" not in text


@settings(max_examples=50)
@given(DAYS, DAYS, st.integers(-3000, -200))
def test_intervals_stay(one: date, other: date, days: int) -> None:
    names = Pseudonyms(None, "p", days)
    moved = [date.fromisoformat(names.moment(day.isoformat()) or "") for day in (one, other)]
    assert moved[1] - moved[0] == other - one
    clock = names.moment(f"{one.isoformat()}T23:59:59.5-05:00")
    assert clock == f"{moved[0].isoformat()}T23:59:59.5-05:00"
    assert names.moment(f"{one.year}") == str((date(one.year, 1, 1) + timedelta(days=days)).year)


@pytest.mark.parametrize("text", ["2026-13-01", "20261121", "2026-11-21 Smith", "Smith", "", "2026-11-21Tea"])
def test_what_is_no_date_is_not_moved_as_one(text: str) -> None:
    assert Pseudonyms(None, "p", -300).moment(text) is None


def test_the_same_stays_the_same() -> None:
    names = Pseudonyms("https://hospital.example/r4", "patient-7", -300)
    assert names.reference("Patient/patient-7") == f"Patient/{names.own('patient-7')}"
    own = names.own("lesion-1")
    absolute = names.reference("https://hospital.example/r4/BodyStructure/lesion-1")
    assert absolute == f"https://fhir.example/pseudonymised/BodyStructure/{own}"
    assert names.reference("https://other.example/r4/BodyStructure/lesion-1").startswith("https://elsewhere")
    assert names.link("Observation?patient=patient-7&category=imaging").startswith(
        "Observation?patient=id-1&"
    )
    assert names.text("CT liver, baseline") == "CT liver, baseline"
    assert names.text("CT of Mrs Smith") == "text-1"


def test_codes_and_values_that_decide_stay() -> None:
    names = Pseudonyms(None, "p", -300)
    value = {
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "52101004", "display": "Present"}]},
        "valueQuantity": {"value": 12.5, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"},
        "status": "final",
        "active": True,
    }
    assert names.value(value) == value
    local = names.value({"system": "urn:oid:1.2.3", "code": "SMITH", "display": "Smith"})
    assert "mith" not in str(local).lower()


def test_the_sites_own_codes_stay_with_their_system() -> None:
    names = Pseudonyms(None, "p", -300)
    names.keep_systems(frozenset({"urn:oid:1.2.3"}))
    assert names.value({"system": "urn:oid:1.2.3", "code": "MRI7"}) == {
        "system": "urn:oid:1.2.3",
        "code": "MRI7",
    }


def test_every_reason_of_a_gap_survives_a_capture() -> None:
    call = Call(hook="patient-view", patient="p", context={})
    assert {GapReason(one.value) for one in GapReason} == set(GapReason)
    assert msgspec.convert(msgspec.to_builtins(call), Call) == call
