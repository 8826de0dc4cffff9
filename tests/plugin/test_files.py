"""A chart from files: every form of a record, and what a broken one leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plugin.chart import Chart, GapReason
from plugin.errors import InputError, PatientChoiceError
from plugin.pull.files import chart_from_files
from tests.plugin.fhir import OTHER, PATIENT, lesion, observation, outcome, patient, searchset, study


def file(folder: Path, content: Any, name: str = "record.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def names(chart: Chart) -> list[str]:
    return [f"{one['resourceType']}/{one['id']}" for one in chart.resources]


RECORD = [patient(), observation(), lesion(), study()]
WHOLE = ["BodyStructure/lesion-1", "ImagingStudy/study-1", "Observation/obs-1", f"Patient/{PATIENT}"]
TRANSACTION = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in RECORD
    ],
}
LINES = b"\n".join(json.dumps(one).encode() for one in RECORD)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TRANSACTION, "record.json"),
        (searchset(*RECORD), "record.json"),
        ({**searchset(*RECORD), "type": "collection"}, "record.json"),
        (
            {"resourceType": "Bundle", "type": "batch-response", "entry": [{"resource": searchset(*RECORD)}]},
            "record.json",
        ),
        (LINES, "record.ndjson"),
        (LINES + b"\n\n", "record.txt"),
        (b"\xef\xbb\xbf" + json.dumps(TRANSACTION).encode(), "record.json"),
    ],
)
def test_every_form_gives_the_same_record(tmp_path: Path, content: Any, name: str) -> None:
    chart = chart_from_files([file(tmp_path, content, name)])
    assert names(chart) == WHOLE
    assert (chart.patient_id, chart.gaps, chart.hook) == (PATIENT, (), None)


def test_several_files_are_one_record(tmp_path: Path) -> None:
    paths = [file(tmp_path, one, f"{number}.json") for number, one in enumerate(RECORD)]
    assert names(chart_from_files(paths)) == WHOLE
    assert names(chart_from_files(reversed(paths))) == WHOLE


def test_a_transaction_that_creates_is_resolved(tmp_path: Path) -> None:
    entries = [
        {"fullUrl": "urn:uuid:11", "resource": {"resourceType": "Patient"}},
        {
            "fullUrl": "urn:uuid:22",
            "resource": {"resourceType": "BodyStructure", "patient": {"reference": "urn:uuid:11"}},
        },
        {
            "fullUrl": "urn:uuid:33",
            "resource": {
                "resourceType": "Observation",
                "subject": {"reference": "urn:uuid:11"},
                "focus": [{"reference": "urn:uuid:22"}],
            },
        },
    ]
    chart = chart_from_files(
        [file(tmp_path, {"resourceType": "Bundle", "type": "transaction", "entry": entries})]
    )
    assert names(chart) == ["BodyStructure/22", "Observation/33", "Patient/11"]
    assert chart.resources[1]["focus"] == [{"reference": "BodyStructure/22"}]


@pytest.mark.parametrize(
    "broken",
    ["text", None, {}, {"resource": "x"}, {"resource": {"id": "x"}}, {"resource": {"resourceType": 7}}],
)
def test_a_broken_entry_is_a_gap_and_the_rest_is_kept(tmp_path: Path, broken: Any) -> None:
    bundle = searchset(*RECORD)
    bundle["entry"].insert(2, broken)
    chart = chart_from_files([file(tmp_path, bundle)])
    assert names(chart) == WHOLE
    assert [(gap.reason, gap.decisive) for gap in chart.gaps] == [(GapReason.UNREADABLE, True)]


@pytest.mark.parametrize("line", [b'{"resourceType": "Obs', b"[1]", b'"x"', b"{}", b"\xff"])
def test_a_broken_line_is_a_gap_and_the_rest_is_kept(tmp_path: Path, line: bytes) -> None:
    chart = chart_from_files([file(tmp_path, LINES + b"\n" + line, "record.ndjson")])
    assert names(chart) == WHOLE
    assert [gap.reason for gap in chart.gaps] == [GapReason.UNREADABLE]
    assert "line 5" in chart.gaps[0].detail


def test_a_page_without_its_next_is_truncated(tmp_path: Path) -> None:
    bundle = searchset(*RECORD, link=[{"relation": "next", "url": "https://ehr.example/fhir?page=2"}])
    gaps = chart_from_files([file(tmp_path, bundle)]).gaps
    assert [(gap.reason, gap.decisive) for gap in gaps] == [(GapReason.TRUNCATED, True)]


def test_a_denial_among_the_entries_is_a_gap(tmp_path: Path) -> None:
    gaps = chart_from_files([file(tmp_path, searchset(*RECORD, outcome("error", "forbidden")))]).gaps
    assert [gap.reason for gap in gaps] == [GapReason.FORBIDDEN]
    assert "secret" not in repr(gaps)


@pytest.mark.parametrize("content", [b"", b"  \n", b"{", b"<Bundle/>", b"\xff\xfe", b"[" * 50_000])
def test_a_file_that_holds_nothing_readable_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"record\.json"):
        chart_from_files([file(tmp_path, content)])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.json: cannot be read"):
        chart_from_files([tmp_path / "absent.json"])


def test_several_patients_are_named_and_one_is_asked_for(tmp_path: Path) -> None:
    path = file(tmp_path, searchset(*RECORD, patient(OTHER), observation("x", OTHER)))
    with pytest.raises(PatientChoiceError, match=f"{PATIENT}, {OTHER}.*patientId") as refused:
        chart_from_files([path])
    assert refused.value.patients == (PATIENT, OTHER)
    for chosen in (
        chart_from_files([path], {"hook": "patient-view", "context": {"patientId": PATIENT}}),
        chart_from_files([path], {"patientId": PATIENT}),
        chart_from_files([path], patient=f"Patient/{PATIENT}"),
    ):
        assert names(chosen) == WHOLE
        assert [(gap.reason, gap.decisive) for gap in chosen.gaps] == [(GapReason.WRONG_PATIENT, False)]


def test_a_patient_who_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PatientChoiceError, match=f"no patient absent; they hold {PATIENT}"):
        chart_from_files([file(tmp_path, TRANSACTION)], patient="absent")


def test_no_patient_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PatientChoiceError, match="no Patient resource"):
        chart_from_files([file(tmp_path, searchset(observation()))])


def test_what_names_no_patient_is_left_out_visibly(tmp_path: Path) -> None:
    bundle = searchset(*RECORD, observation("x", subject=None), {"resourceType": "Device", "id": "d"})
    chart = chart_from_files([file(tmp_path, bundle)])
    assert names(chart) == WHOLE
    assert [(gap.reason, gap.decisive) for gap in chart.gaps] == [(GapReason.UNREADABLE, True)]


def test_drafts_come_from_the_hook_and_not_from_the_record(tmp_path: Path) -> None:
    order = {"resourceType": "ServiceRequest", "id": "draft", "subject": {"reference": f"Patient/{PATIENT}"}}
    hook = {"hook": "order-sign", "context": {"patientId": PATIENT, "draftOrders": searchset(order)}}
    chart = chart_from_files([file(tmp_path, TRANSACTION)], hook)
    assert names(chart) == WHOLE
    assert (chart.hook, chart.draft_tokens) == ("order-sign", ("ServiceRequest/draft",))


def test_a_hook_context_that_is_no_object_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hook context"):
        chart_from_files([file(tmp_path, TRANSACTION)], {"hook": "order-sign", "context": []})
