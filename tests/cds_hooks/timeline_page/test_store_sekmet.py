"""A reading stored in a FHIR server written by others, and read back from it."""

from __future__ import annotations

from pathlib import Path

from cds_hooks.rulebook import evaluator_here
from cds_hooks.timeline_page.reading import proposed, read_reading
from cds_hooks.timeline_page.store import store_bundle
from fhir_profiles import samples
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.pull import HookInput, pull
from plugin.settings import Fhir, FhirServer, Rules, Service, Settings
from rules.evaluate import Evaluator
from tests.servers.sekmet import TOKEN, Sekmet, running

SAMPLE = samples.sample("report-silent")
PATIENT = SAMPLE.hook["context"]["patientId"]


def looked(server: Sekmet, settings: Settings, evaluator: Evaluator) -> tuple[Chart, Decision]:
    asked = HookInput(
        hook="patient-view",
        patient_id=PATIENT,
        context={"patientId": PATIENT},
        fhir_server=server.base,
        authorization={"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300},
    )
    chart = pull(asked, settings)
    return chart, decide(chart, evaluator, today=SAMPLE.anchor, settings=settings)


def test_a_reading_and_its_correction_are_taken_and_count(tmp_path: Path) -> None:
    with running(tmp_path, TOKEN) as server:
        server.load(SAMPLE.bundle)
        settings = Settings(
            service=Service(open=True),
            fhir=Fhir(
                servers=(FhirServer(base=server.base),), budget=60, read_timeout=30, connect_timeout=30
            ),
            rules=Rules(engine="reference"),
        )
        with evaluator_here(settings, timeout=60.0) as evaluator:
            chart, before = looked(server, settings, evaluator)
            lesion = next(one.id for one in before.lesions if one.status == "CANNOT_DECIDE")
            study = max(
                (one for one in before.timeline.studies if one.day is not None),
                key=lambda one: str(one.day.first) if one.day else "",
            ).id
            for said, meant in (("seen", "visible"), ("sought-not-seen", "not-visible")):
                chart, decision = looked(server, settings, evaluator)
                sent = {"study": study, "lesions": [{"lesion": lesion, "visibility": said}]}
                made = proposed(chart, decision, read_reading(sent), "Practitioner/r1", settings)
                stored = store_bundle(settings.fhir.servers[0], TOKEN, made.bundle, settings.fhir)
                assert [one.split("/")[0] for one in stored.resources] == ["Observation", "Provenance"]
                _, after = looked(server, settings, evaluator)
                found = [one for one in after.timeline.of_lesion(lesion) if one.study == study]
                assert [one.visibility for one in found] == [meant]
