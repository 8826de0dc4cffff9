"""The register of requirements, the registry of checks, and the patients that calls are made of."""

import subprocess
import sys
from typing import Any

import pytest

from cds_hooks.cli import conformance
from cds_hooks.conformance import transport
from cds_hooks.conformance.checks import CHECKS, check
from cds_hooks.conformance.exchange import Client
from cds_hooks.conformance.groups import GROUPS
from cds_hooks.conformance.library import hooks, profiles, resource_types, user_tokens
from cds_hooks.conformance.options import Options
from cds_hooks.conformance.patients import FHIR, SyntheticPatient, Unfillable, patients
from cds_hooks.conformance.register import STRENGTHS, parts, requirements, strongest
from cds_hooks.conformance.subject import Subject
from cds_hooks.hooks import HOOKS
from fhir_profiles import samples
from tests.require import ROOT

CONTEXT: dict[str, Any] = {"patientId": "vestige-9-patient", "userId": "Practitioner/conformance-user"}


@pytest.fixture(scope="module")
def patient() -> SyntheticPatient:
    (one,) = patients(("nothing-to-say",))
    return one


def test_the_register_is_complete_and_in_order() -> None:
    assert list(requirements()) == list(range(1, 211))
    assert {one.strength for one in requirements().values()} == set(STRENGTHS)
    assert {one.part for one in requirements().values()} == set(parts())
    assert {one.by for one in requirements().values()} == {"service", "client"}
    assert {one.version for one in requirements().values()} == {"2.0.1", "3.0"}
    titles = [one.title for one in requirements().values()]
    assert len(set(titles)) == len(titles)


def test_what_binds_a_service_today() -> None:
    assert requirements()[11].binding
    assert requirements()[177].binding
    assert not requirements()[144].binding  # of 3.0
    assert not requirements()[83].binding  # binds the client
    assert not requirements()[17].binding  # recommended
    assert strongest((17, 14, 144)).number == 14
    assert strongest((17, 144)).number == 144


def test_every_check_names_its_requirements_and_group() -> None:
    for one in CHECKS.values():
        assert one.numbers
        assert set(one.numbers) <= set(requirements())
        assert one.group in GROUPS
        assert one.title.endswith(".")
    assert {one.group for one in CHECKS.values()} == set(GROUPS)


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match=r"cards\.summary"):
        check("cards.summary", 114)(lambda subject: iter(()))


def test_plain_http_to_another_machine_is_a_broken_shall() -> None:
    (problem,) = transport.tls(Subject(Options(base="http://cds.example", patients=[]), Client()))
    assert not problem.mild
    assert CHECKS["transport.tls"].binding
    for fine in ("https://cds.example", "http://127.0.0.1:8000", "http://[::1]:8000"):
        assert not list(transport.tls(Subject(Options(base=fine, patients=[]), Client())))


def test_our_own_hooks_are_in_the_library() -> None:
    for name, hook in HOOKS.items():
        if name in hooks():
            required = {field.name for field in hooks()[name].fields.values() if field.required}
            assert set(hook.identifiers) <= required
    assert "patient-view" in hooks()
    assert {"generic", "epic", "oracle", "sandbox"} == set(profiles())
    assert {"Patient", "Observation", "ImagingStudy"} <= resource_types()
    assert len(user_tokens()) == 4


def test_prefetch_is_filled_as_a_client_fills_it(patient: SyntheticPatient) -> None:
    assert patient.fill("Patient/{{context.patientId}}", CONTEXT)["id"] == patient.id
    assert patient.fill("Patient/nobody", CONTEXT) is None
    assert patient.fill("Practitioner/{{userPractitionerId}}", CONTEXT)["resourceType"] == "Practitioner"
    found = patient.fill("Condition?patient={{context.patientId}}&_count=5", CONTEXT)
    assert found["total"] == len(found["entry"]) == 1
    assert found["link"][0]["url"] == f"{FHIR}/Condition?patient={patient.id}&_count=5"
    assert "entry" not in patient.fill("Observation?patient={{context.patientId}}&code=x|y", CONTEXT)


@pytest.mark.parametrize("token", ["context.encounterId", "userPatientId", "today()", "%patient.id", "x"])
def test_a_token_that_cannot_be_filled_leaves_its_key_out(patient: SyntheticPatient, token: str) -> None:
    with pytest.raises(Unfillable):
        patient.fill(f"Patient/{{{{{token}}}}}", CONTEXT)
    assert patient.prefetch({"a": f"Patient/{{{{{token}}}}}", "b": "Patient/x"}, CONTEXT) == {"b": None}


@pytest.mark.parametrize("client", list(profiles()))
@pytest.mark.parametrize("hook", [*hooks(), "org.example.private"])
def test_a_context_has_what_its_hook_requires(patient: SyntheticPatient, hook: str, client: str) -> None:
    context = patient.context_for(hook, profiles()[client])
    known = hooks().get(hook)
    required = {field.name for field in known.fields.values() if field.required} if known else {"patientId"}
    assert required <= set(context)
    assert context["patientId"] == patient.id
    if client == "sandbox":
        assert not any(isinstance(held, dict) and held.get("type") for held in context.values())
    if client == "epic" and "userId" in context:
        assert context["userId"].startswith("PractitionerRole/")


def test_a_context_is_not_changed_by_the_next_call() -> None:
    """The sandbox leaves the type of a Bundle out: the sample itself must keep it."""
    (one,) = patients(("ct-only-watch-and-wait",))
    one.context_for("order-sign", profiles()["sandbox"])
    assert one.context_for("order-sign", profiles()["generic"])["draftOrders"]["type"] == "collection"


def test_every_sample_is_a_patient() -> None:
    assert [one.name for one in patients()] == list(samples.names())


def test_what_the_command_says_of_clients_and_groups_is_so() -> None:
    """The command writes them out, so that no other command waits for the checker to load."""
    assert conformance.CLIENTS.split(", ") == list(profiles())
    assert conformance.GROUPS.split(", ") == list(GROUPS)
    code = (
        "import sys, cds_hooks.cli.commands; print([name for name in sys.modules if 'conformance.' in name])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "[]"
