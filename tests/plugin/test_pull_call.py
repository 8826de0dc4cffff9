"""The pull without a hostile server: who may be asked, with which token, and when nothing can be decided."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from plugin.chart import GapReason
from plugin.errors import NoData
from plugin.pull import PREFETCH, QUERIES, Sessions, pull
from plugin.pull.address import AddressError, base_of, inside, is_refused, permitted
from plugin.pull.chart_of import folded
from plugin.pull.owner import Identity, Owner
from plugin.settings import Fhir, FhirServer, Service, Settings
from tests.plugin.fhir import (
    OTHER,
    PATIENT,
    authorization,
    call,
    lesion,
    observation,
    outcome,
    patient,
    searchset,
    settings,
    study,
)
from tests.servers import hostile
from tests.servers.hostile import by_type, serving

ALL_DECISIVE: dict[str, Any] = {"imaging": None, "findings": None, "studies": None, "lesions": None}


def test_prefetch_alone_is_enough() -> None:
    prefetch = {**ALL_DECISIVE, "imaging": searchset(observation()), "patient": patient()}
    chart = pull(call(prefetch=prefetch), Settings())
    assert [one["id"] for one in chart.resources] == ["obs-1", PATIENT]
    assert chart.decisive_gaps == ()
    # What was not sent is said, one gap a key.
    assert {gap.query for gap in chart.gaps} == set(PREFETCH) - set(prefetch)
    assert {gap.reason for gap in chart.gaps} == {GapReason.NOT_FETCHED}


@pytest.mark.parametrize(
    "prefetch",
    [
        None,
        {},
        {"patient": patient()},
        {"markers": None},
        {"imaging": outcome("error", "exception")},
        {"imaging": searchset(observation(of=OTHER)) | {"entry": ["broken"]}},
    ],
)
def test_neither_prefetch_nor_server_is_412(prefetch: Any) -> None:
    with pytest.raises(NoData) as refused:
        pull(call(prefetch=prefetch), Settings())
    assert refused.value.status == 412
    assert "imaging, findings, studies, lesions" in str(refused.value)
    assert PATIENT not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_null_is_an_answer_and_no_412() -> None:
    assert pull(call(prefetch={"imaging": None}), Settings()).resources == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fhir_server": None}, "no FHIR server was named"),
        ({"fhir_server": "https://elsewhere.example/fhir"}, "not on the allow list"),
        ({"fhir_server": "https://ehr.example/fhir?x=1"}, "query"),
        ({"fhir_server": "https://user@ehr.example/fhir"}, "user name"),
        ({"fhir_server": "ftp://ehr.example/fhir"}, "http"),
        ({"fhir_server": "https://ehr.example:99999/fhir"}, "no valid address"),
        ({"authorization": None}, "no access token"),
        ({"authorization": authorization(token_type="MAC")}, "not Bearer"),
        ({"authorization": authorization(access_token="")}, "no usable access_token"),
        ({"authorization": authorization(access_token="a\r\nHost: x")}, "no usable access_token"),
        ({"authorization": authorization(expires_in=0)}, "expired"),
        ({"authorization": authorization(expires_in=-5)}, "expired"),
        ({"authorization": authorization(expires_in=None)}, "expired"),
        ({"authorization": authorization(expires_in=True)}, "expired"),
        ({"authorization": authorization(patient=OTHER)}, "another patient"),
    ],
)
def test_no_call_is_made_without_a_server_and_a_token_that_count(change: dict[str, Any], words: str) -> None:
    class NoSessions(Sessions):
        def server(self, chosen: FhirServer) -> Any:
            raise AssertionError("no session may be opened")

    asked = call(**{"fhir_server": "https://ehr.example/fhir", "authorization": authorization(), **change})
    with pytest.raises(NoData, match=words):
        pull(asked, settings("https://ehr.example/fhir"), NoSessions(Settings()))


@pytest.mark.parametrize(
    "sent", [{"expires_in": "300"}, {"token_type": "bearer"}, {"patient": PATIENT}, {"scope": "Epic words"}]
)
def test_tokens_of_known_dialects_are_used(sent: dict[str, Any]) -> None:
    with serving(by_type()) as server:
        pull(call(fhir_server=server.base + "/", authorization=authorization(**sent)), settings(server.base))
        assert {one.headers.get("authorization") for one in server.requests} == {"Bearer secret-token"}


def test_an_open_server_is_asked_without_a_token() -> None:
    with serving(by_type()) as server:
        chart = pull(call(fhir_server=server.base), settings(server.base, open=True))
        assert {one.headers.get("authorization") for one in server.requests} == {None}
    assert chart.decisive_gaps == ()


def test_a_second_call_without_a_token_makes_no_call() -> None:
    with serving(by_type()) as server:
        chosen = settings(server.base)
        pull(call(fhir_server=server.base, authorization=authorization()), chosen)
        count = len(server.requests)
        with pytest.raises(NoData):
            pull(call(fhir_server=server.base), chosen)
        assert len(server.requests) == count


def test_a_server_is_asked_for_its_own_issuer_only() -> None:
    server = FhirServer(base="https://ehr.example/fhir", issuer="https://one.example")
    chosen = Settings(fhir=Fhir(servers=(server,)))
    assert permitted(chosen, "https://EHR.example:443/fhir/", "https://one.example") == server
    with pytest.raises(AddressError, match="allow list"):
        permitted(chosen, "https://ehr.example/fhir", "https://two.example")
    with pytest.raises(AddressError, match="allow list"):
        permitted(chosen, "https://ehr.example/fhir", None)


@pytest.mark.parametrize(
    ("base", "service_open", "words"),
    [
        ("https://169.254.169.254/fhir", False, "metadata"),
        ("https://[fe80::1]/fhir", False, "metadata"),
        ("https://[::ffff:169.254.169.254]/fhir", False, "metadata"),
        ("https://[fd00:ec2::254]/fhir", False, "metadata"),
        ("http://ehr.example/fhir", False, "loopback only"),
        ("https://ehr.example/fhir", True, "without authentication"),
    ],
)
def test_a_listed_server_is_refused_all_the_same(base: str, service_open: bool, words: str) -> None:
    chosen = Settings(service=Service(open=service_open), fhir=Fhir(servers=(FhirServer(base=base),)))
    with pytest.raises(AddressError, match=words):
        permitted(chosen, base, None)


def test_plain_http_beyond_loopback_is_a_choice_of_the_site() -> None:
    server = FhirServer(base="http://10.1.2.3/fhir", allow_http=True)
    assert permitted(Settings(fhir=Fhir(servers=(server,))), server.base, None) == server


def test_a_name_that_leads_to_a_refused_address_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(by_type()) as server:
        # Loopback stands in for a metadata service: its address is refused after the connection, before a byte.
        monkeypatch.setattr("plugin.pull.transport.is_refused", lambda host: host == "127.0.0.1")
        chart = pull(call(fhir_server=server.base, authorization=authorization()), settings(server.base))
        assert server.requests == []
    assert {gap.reason for gap in chart.gaps} == {GapReason.NOT_FETCHED}
    assert any("refused address" in gap.detail for gap in chart.gaps)


@pytest.mark.parametrize(
    "host", ["169.254.0.1", "0.0.0.0", "::", "224.0.0.1", "100.100.100.200", "fe80::1%eth0"]
)
def test_refused_addresses(host: str) -> None:
    assert is_refused(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "127.0.0.1", "::1", "ehr.example", "8.8.8.8"])
def test_hospital_addresses_are_not_refused(host: str) -> None:
    assert not is_refused(host)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("https://EHR.example/fhir/", "https://ehr.example/fhir"),
        ("https://ehr.example:443/fhir", "https://ehr.example/fhir"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8000/r4", "http://[::1]:8000/r4"),
    ],
)
def test_a_base_has_one_spelling(one: str, same: str) -> None:
    assert base_of(one) == same


def test_a_link_inside_the_base_is_taken_verbatim() -> None:
    base = "https://ehr.example/fhir"
    for link in (
        f"{base}?_getpages=1%7C2&x=a+b",
        f"{base}/Observation?page=2",
        "https://EHR.example:443/fhir?p=2",
    ):
        assert inside(base, link) == link
    assert inside(base, "Observation?page=2") == f"{base}/Observation?page=2"
    assert inside(base, "/fhir/Observation?page=2") == f"{base}/Observation?page=2"


def test_drafts_and_selections_come_from_the_context() -> None:
    def order(own: str | None, of: str | None) -> dict[str, Any]:
        subject = {"subject": {"reference": f"Patient/{of}"}} if of else {}
        return {
            "resourceType": "ServiceRequest",
            **({"id": own} if own else {}),
            "status": "draft",
            **subject,
        }

    orders = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": order("one", PATIENT)},
            {"resource": order("two", OTHER)},
            {"resource": order(None, None)},
            "broken",
        ],
    }
    booked = {
        "resourceType": "Appointment",
        "id": "visit",
        "participant": [
            {"actor": {"reference": "Practitioner/x"}},
            {"actor": {"reference": f"Patient/{PATIENT}"}},
        ],
    }
    context = {
        "draftOrders": orders,
        "selections": ["ServiceRequest/one", "ServiceRequest/absent", 7],
        "appointments": {"resourceType": "Bundle", "entry": [{"resource": booked}]},
    }
    chart = pull(call(hook="order-select", context=context, prefetch=ALL_DECISIVE), Settings())
    assert chart.draft_tokens == ("ServiceRequest/one", "ServiceRequest/draft-3", "Appointment/visit")
    assert all(one["subject"]["reference"] == f"Patient/{PATIENT}" for one in chart.drafts[:2])
    assert chart.selections == ("ServiceRequest/one",)
    assert chart.resources == ()
    reasons = [gap.reason for gap in chart.gaps if gap.query is None]
    assert sorted(reason.value for reason in reasons) == ["unreadable", "wrong-patient"]
    assert not any(gap.decisive for gap in chart.gaps if gap.query is None)


def test_a_draft_of_a_patient_who_cannot_be_told_is_left_out() -> None:
    order = {"resourceType": "ServiceRequest", "id": "one", "subject": {"reference": "urn:uuid:unresolved"}}
    chart = pull(call(context={"draftOrders": searchset(order)}, prefetch=ALL_DECISIVE), Settings())
    assert chart.drafts == ()
    assert (GapReason.UNREADABLE, "ServiceRequest") in {(gap.reason, gap.resource) for gap in chart.gaps}


@pytest.mark.parametrize(
    "bundle", [[], "text", {"resourceType": "Parameters"}, {"resourceType": "Bundle", "entry": 1}]
)
def test_drafts_that_cannot_be_read_are_a_gap(bundle: Any) -> None:
    chart = pull(call(context={"draftOrders": bundle}, prefetch=ALL_DECISIVE), Settings())
    assert [gap.reason for gap in chart.gaps if gap.query is None] == [GapReason.UNREADABLE]


BASE = "https://ehr.example/fhir"


@pytest.mark.parametrize(
    ("resource", "owner"),
    [
        (patient(), Owner.OURS),
        (patient(OTHER), Owner.OTHER),
        (observation(), Owner.OURS),
        (observation(of=OTHER), Owner.OTHER),
        (observation(subject={"reference": f"{BASE}/Patient/{PATIENT}"}), Owner.OURS),
        (observation(subject={"reference": f"{BASE}/Patient/{PATIENT}/_history/2"}), Owner.OURS),
        (observation(subject={"reference": f"Patient/{PATIENT}/_history/2"}), Owner.OURS),
        (observation(subject={"reference": f"https://else.example/fhir/Patient/{PATIENT}"}), Owner.OTHER),
        (observation(subject={"reference": f"Group/{PATIENT}"}), Owner.OTHER),
        (observation(subject={"reference": PATIENT}), Owner.UNCLEAR),
        (observation(subject={"reference": f"patient/{PATIENT}"}), Owner.UNCLEAR),
        (observation(subject={"reference": f"Patient/{PATIENT.upper()}"}), Owner.OTHER),
        (observation(subject={"reference": "urn:uuid:unresolved"}), Owner.UNCLEAR),
        (observation(subject={"reference": f"{BASE}/Patient/{PATIENT}/"}), Owner.UNCLEAR),
        ({**observation(), "patient": {"reference": "urn:uuid:unresolved"}}, Owner.UNCLEAR),
        (
            {**observation(of=OTHER), "patient": {"reference": "urn:uuid:unresolved"}},
            Owner.OTHER,
        ),
        (
            observation(
                subject={"identifier": {"system": "https://vestige.example/mrn", "value": f"mrn-{PATIENT}"}}
            ),
            Owner.OURS,
        ),
        (
            observation(
                subject={"identifier": {"system": "https://vestige.example/mrn", "value": f"mrn-{OTHER}"}}
            ),
            Owner.OTHER,
        ),
        (observation(subject={"display": "someone"}), Owner.UNSTATED),
        (observation(subject={"reference": "#contained"}), Owner.UNSTATED),
        (observation(subject="text"), Owner.UNSTATED),
        (lesion(), Owner.OURS),
        (lesion(of=OTHER), Owner.OTHER),
        ({**observation(), "patient": {"reference": f"Patient/{OTHER}"}}, Owner.OTHER),
        ({"resourceType": "Medication", "id": "x"}, Owner.SHARED),
        ({"resourceType": "Device", "id": "x"}, Owner.UNSTATED),
        (
            {
                "resourceType": "Appointment",
                "participant": [
                    {"actor": {"reference": f"Patient/{OTHER}"}},
                    {"actor": {"reference": f"Patient/{PATIENT}"}},
                ],
            },
            Owner.OTHER,
        ),
        (
            {"resourceType": "Appointment", "participant": [{"actor": {"reference": "Location/1"}}, None]},
            Owner.UNSTATED,
        ),
    ],
)
def test_whose_a_resource_is(resource: dict[str, Any], owner: Owner) -> None:
    identity = Identity(PATIENT, BASE)
    identity.learn(patient())
    assert identity.owner(resource) is owner


def test_the_newest_version_of_a_resource_is_kept() -> None:
    versions = [observation(meta={"versionId": number}, note=number) for number in ("2", "10", "9")]
    assert [one["note"] for one in folded(versions)] == ["10"]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"versionId": "9"}, {"versionId": "10"}),
        (
            {"versionId": "a", "lastUpdated": "2026-01-05T10:00:00+02:00"},
            {"lastUpdated": "2026-01-05T09:00:00Z"},
        ),
        ({"lastUpdated": "2026-01-05T09:59:00.9Z"}, {"lastUpdated": "2026-01-05T12:00:00+02:00"}),
        ({"lastUpdated": "0001-01-01T00:00:00+14:00"}, {"lastUpdated": "2026-01-05T12:00:00Z"}),
        (
            {"versionId": "7", "lastUpdated": "2026-01-05T09:00:00Z"},
            {"lastUpdated": "2026-01-05T09:00:01Z"},
        ),
        (
            {"lastUpdated": "2026-01-05T09:00:00Z"},
            {"versionId": "7", "lastUpdated": "2026-01-05T09:00:01Z"},
        ),
        ({"versionId": "1", "lastUpdated": "2026-01-05T09:00:00Z"}, {"versionId": "2"}),
    ],
)
def test_the_age_of_a_version_is_a_number_and_a_moment(older: Any, newer: Any) -> None:
    versions = [observation(meta=meta, value=n) for n, meta in enumerate((older, newer))]
    assert [one["value"] for one in folded(versions)] == [1]
    assert folded(versions) == folded(versions[::-1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, {"versionId": "1"}),
        ({"versionId": "2", "lastUpdated": "2026-01-05T09:00:00Z"}, None),
        ({"versionId": "2"}, {"lastUpdated": "2026-01-05T09:00:00Z"}),
        ({"versionId": "2", "lastUpdated": "2026-01-05T09:00:00Z"}, {"lastUpdated": "of late"}),
        ({"versionId": "3"}, {"versionId": "3"}),
    ],
)
def test_versions_that_cannot_be_compared_are_both_kept(one: Any, other: Any) -> None:
    versions = [observation(meta=meta, value=n) for n, meta in enumerate((one, other))]
    assert len(folded(versions)) == 2
    assert folded(versions) == folded(versions[::-1])
    # One that is newer for certain is kept beside what cannot be compared with it.
    last = observation(meta={"versionId": "9", "lastUpdated": "2026-02-01T00:00:00Z"}, value=2)
    assert [each["value"] for each in folded([*versions, last])][-1] == 2


@pytest.mark.parametrize("version", ["\u00b2", "\u0661", "9" * 5000, "MTY3", 7, None, {"x": 1}])
def test_versions_that_cannot_be_ranked_are_all_kept(version: Any) -> None:
    versions = [observation(meta={"versionId": version}, value=value) for value in ("seen", "gone")]
    assert len(folded(versions)) == 2
    assert folded(versions) == folded(versions[::-1])
    told = [one | {"text": {"div": number}} for number, one in enumerate([versions[0]] * 2)]
    assert len(folded(told)) == 1


@hypothesis_settings(max_examples=60)
@given(
    st.permutations(
        [
            observation(),
            observation("obs-2"),
            lesion(),
            study(),
            observation(value=2),
            observation(of=OTHER, own="x"),
        ]
    )
)
def test_order_never_matters(shuffled: list[dict[str, Any]]) -> None:
    assert folded(shuffled) == folded(sorted(shuffled, key=repr))


@hypothesis_settings(max_examples=60)
@given(
    strays=st.lists(
        st.sampled_from([observation("s-1", OTHER), observation("s-2", OTHER), patient(OTHER)]), max_size=4
    ),
    place=st.integers(0, 2),
)
def test_resources_of_another_patient_change_nothing_that_counts(
    strays: list[dict[str, Any]], place: int
) -> None:
    own = [observation(), observation("obs-2")]
    mixed = own[:place] + strays + own[place:]
    with_strays = pull(call(prefetch={**ALL_DECISIVE, "imaging": searchset(*mixed)}), Settings())
    without = pull(call(prefetch={**ALL_DECISIVE, "imaging": searchset(*own)}), Settings())
    assert with_strays.resources == without.resources
    assert with_strays.decisive_gaps == without.decisive_gaps == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceType",
                    "entry",
                    "resource",
                    "link",
                    "relation",
                    "url",
                    "search",
                    "mode",
                    "issue",
                    "severity",
                    "code",
                    "subject",
                    "reference",
                    "id",
                    "meta",
                    "participant",
                    "actor",
                    "fullUrl",
                    "total",
                    "tag",
                ]
            ),
            inner
            | st.sampled_from(
                [
                    "Bundle",
                    "Observation",
                    "OperationOutcome",
                    "next",
                    "self",
                    "error",
                    "Patient/sample-1",
                    "urn:uuid:1",
                ]
            ),
            max_size=5,
        )
    ),
    max_leaves=25,
)


@hypothesis_settings(max_examples=100)
@given(prefetch=st.dictionaries(st.sampled_from(sorted(PREFETCH)), JSON, max_size=4), context=JSON)
def test_garbage_never_raises_and_never_passes_for_a_record(prefetch: dict[str, Any], context: Any) -> None:
    hook = {"draftOrders": context}
    chart = pull(call(prefetch={**prefetch, "imaging": None}, context=hook), Settings())
    identity = Identity(PATIENT)
    assert all(identity.owner(one) in (Owner.OURS, Owner.SHARED) for one in chart.resources)
    assert all(identity.owner(one) is not Owner.OTHER for one in chart.drafts)


def test_reads_say_where_each_answer_came_from() -> None:
    with serving(by_type(ImagingStudy=lambda request, server: hostile.bundle(study()))) as server:
        asked = call(
            fhir_server=server.base,
            authorization=authorization(),
            prefetch={"imaging": searchset(observation())},
        )
        chart = pull(asked, settings(server.base))
    told = {one.query: (one.source, one.count) for one in chart.reads}
    assert told["imaging"] == ("prefetch", 1)
    assert told["studies"] == ("fhir", 1)
    # The default script answers the read of the patient with a Bundle: that one has no answer.
    assert set(told) == {query.key for query in QUERIES} - {"patient"}
