"""Each check can fail: a service with one broken requirement, and the check that finds it and no other."""

from collections.abc import Iterator
from typing import Any

import pytest

from cds_hooks.conformance.checks import CHECKS
from cds_hooks.conformance.exchange import Client
from cds_hooks.conformance.groups import GROUPS
from cds_hooks.conformance.library import profiles
from cds_hooks.conformance.options import Options
from cds_hooks.conformance.patients import patients
from cds_hooks.conformance.run import Report, inspect_service
from cds_hooks.conformance.tokens import Signer
from tests.servers.mutant import Mutant, Mutation, mutant
from tests.servers.mutations import MUTATIONS, STRICT

# A service on loopback is reached without TLS: this check is looked at in test_transport.py.
ELSEWHERE = {"transport.tls"}
PATIENTS = patients(("ct-only-watch-and-wait", "mri-visible-called-gone"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mutant]:
    with mutant(tmp_path_factory.mktemp("mutant")) as running:
        yield running


def inspected(server: Mutant, mutation: Mutation | None, **options: Any) -> Report:
    profile = profiles()[options.pop("client", "generic")]
    signer = Signer(
        key=server.client.key,
        algorithm=server.client.algorithm,
        kid=server.client.kid,
        issuer=server.client.issuer,
    )
    server.breaks(mutation)
    # An overloaded machine must not look like a slow service, unless slowness is what is broken.
    given: dict[str, Any] = {"slow": 60.0, **options}
    if mutation is None or mutation.check.startswith("fhir."):
        given["fhir_port"] = server.fhir_port
    chosen = Options(base=server.base, patients=PATIENTS, profile=profile, signer=signer, **given)
    groups = (mutation and mutation.groups) or tuple(GROUPS)
    return inspect_service(chosen, Client(seconds=60), groups=groups)


def found(report: Report) -> dict[str, tuple[str, ...]]:
    return {
        verdict.check.name: (verdict.result, *verdict.reasons)
        for verdict in report.verdicts
        if verdict.result in ("fail", "warn")
    }


@pytest.mark.parametrize("client", list(profiles()))
def test_nothing_is_found_where_nothing_is_broken(server: Mutant, client: str) -> None:
    report = inspected(server, None, client=client, origin="http://ehr.example")
    assert found(report) == {}
    assert report.conformant
    assert report.count("pass") > 100


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.title)
def test_one_broken_requirement_is_found_by_its_check_alone(server: Mutant, mutation: Mutation) -> None:
    report = inspected(server, mutation, **mutation.options)
    problems = found(report)
    assert set(problems) == {mutation.check, *mutation.also}, problems
    own = next(one for one in report.verdicts if one.check.name == mutation.check)
    assert own.reasons
    assert own.check.binding or own.result == "warn"
    assert report.conformant == all(result == "warn" for result, *_ in problems.values())


def test_feedback_on_its_own_cards_only_is_no_fault(server: Mutant) -> None:
    report = inspected(server, STRICT)
    assert found(report) == {}
    results = {one.check.name: one.result for one in report.verdicts if one.check.group == "feedback"}
    assert {name for name, result in results.items() if result != "pass"} == {"feedback.client"}


def test_every_check_has_a_mutation() -> None:
    assert {mutation.check for mutation in MUTATIONS} | ELSEWHERE == set(CHECKS)


def test_every_broken_shall_can_fail() -> None:
    binding = {name for name, check in CHECKS.items() if check.binding}
    assert {"discovery.answers", "calls.outcome", "cards.summary", "security.alg-none"} < binding
    assert not {"calls.null", "readiness.resource", "errors.no-hook", "templates.query"} & binding
