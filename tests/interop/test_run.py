"""What a run leaves behind when it is stopped, what it never touches, and how it is told to begin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from cds_hooks.interop.clean import clean
from cds_hooks.interop.load import Loading, in_order, load, references
from cds_hooks.interop.manifest import Manifest, Planned, new_run
from cds_hooks.interop.patients import (
    RUN_IDENTIFIER,
    folder_subjects,
    is_marked,
    marked,
    sample_subjects,
)
from cds_hooks.interop.stop import stoppable
from fhir_profiles import samples
from plugin.address import base_of
from plugin.errors import FhirError, InputError, Stopped
from plugin.probe.access import Access
from plugin.probe.asker import Asker
from plugin.probe.journal import Journal
from plugin.settings import Fhir, FhirServer, Settings, today
from tests.interop.command import COMMAND, vestige
from tests.interop.writable import WritableEpic
from tests.servers.hostile import Hostile, Reply, Request, resource, serving, status

LIMITS = Fhir(budget=60.0, read_timeout=60.0, connect_timeout=20.0)
SUBJECT = sample_subjects(today(Settings()), ["nothing-to-say"])[0]


def asker(server: Hostile, **how: Any) -> Asker:
    chosen = FhirServer(base=server.base)
    entrance = Access().opened(chosen, LIMITS)
    return Asker(chosen, server.base, entrance, LIMITS, Journal(), writes=True, **how)


def resources(server: Hostile) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.script.resources  # type: ignore[attr-defined]
    return found


# ---------------------------------------------------------------------------------------- how to begin
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say which FHIR server"),
        (["https://fhir.example/r4"], "say --write"),
        (["http://127.0.0.1:9/fhir", "--write", "--read-only"], "exclude each other"),
        (["http://127.0.0.1:9/fhir", "--report", "pdf"], "none of html, junit, json"),
        (["http://127.0.0.1:9/fhir", "--patient", "x"], "--patient is for --read-only"),
        (["http://127.0.0.1:9/fhir", "--bodies"], "--bodies is for --read-only"),
        (["http://127.0.0.1:9/fhir", "--read-only", "--keep"], "--keep is for a run that writes"),
        (["http://127.0.0.1:9/fhir", "--read-only", "--sample", "x"], "--sample is for a run that writes"),
        (["http://127.0.0.1:9/fhir", "--output", "x"], "say which with --report"),
        (["http://127.0.0.1:9/fhir", "--service-key", "x"], "--service-key is for --service"),
        (["http://127.0.0.1:9/fhir", "--service-algorithm", "HS256"], "--service-algorithm is for --service"),
        (
            ["http://127.0.0.1:9/fhir", "--service", "http://127.0.0.1:8", "--service-kid", "x"],
            "give --service-key, too",
        ),
        (["http://127.0.0.1:9/fhir", "--report", "html", "--output", "/nowhere/x"], "cannot be written"),
        (["http://127.0.0.1:9/fhir", "--report", "html", "--output", "."], "cannot be written"),
        (["http://127.0.0.1:9/fhir", "--sample", "nobody"], "there is no nobody"),
        (["--clean", "nowhere.jsonl"], "cannot be read"),
    ],
)
def test_unusable_input(arguments: list[str], words: str, tmp_path: Path) -> None:
    ran = vestige("interop", *arguments, cwd=tmp_path)
    assert ran.code == 2
    assert words in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    ran = vestige("interop", "http://127.0.0.1:9/fhir", cwd=tmp_path)
    assert ran.code == 3
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------- stopped and crashed
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_nothing_or_its_manifest(how: signal.Signals, tmp_path: Path) -> None:
    with serving(WritableEpic()) as server:
        process = subprocess.Popen(
            [*COMMAND, "interop", server.base, "--json", "--own-hook", "--manifest", "run.jsonl"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ},
        )
        end = time.monotonic() + 300
        while len(resources(server)) < 40 and time.monotonic() < end:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(how)
        out, _ = process.communicate(timeout=300)
        manifest = tmp_path / "run.jsonl"
        if how is signal.SIGKILL:
            assert resources(server)
            ran = vestige("interop", "--clean", "run.jsonl", "--json", cwd=tmp_path)
            assert (ran.code, ran.json["left"]) == (0, [])
        else:
            assert process.returncode == 1
            told = json.loads(out)
            assert (told["interrupted"], told["cleaned"]["left"]) == (True, [])
        assert resources(server) == []
        assert not manifest.exists()


def test_stopped_while_removing_the_rest_is_named_and_removed_later(tmp_path: Path) -> None:
    class Stopping(WritableEpic):
        def delete(self, kind: str, own: str) -> Reply:
            found = super().delete(kind, own)
            if len(self.resources) == 3:
                asked.stop.set()
            return found

    with serving(Stopping()) as server:
        manifest = Manifest.begun(tmp_path / "run.jsonl", new_run(), server.base)
        asked = asker(server)
        load(marked(SUBJECT, manifest.run), asked, manifest, Loading())
        loaded = len(resources(server))
        done = clean(manifest, asked, check=False)
        assert (done.removed, len(done.left), done.whole) == (loaded - 3, 3, False)
        assert all(f"vestige interop --clean {manifest.path}" in one for one in done.left)
        later = clean(Manifest.read(manifest.path), asker(server), check=True)
        assert (later.removed, later.left, resources(server)) == (3, (), [])
        assert not manifest.path.exists()


def test_an_asker_told_to_stop_waits_for_nothing_and_asks_nothing_more() -> None:
    def busy(_request: Request, _server: Hostile) -> Reply:
        asked.stop.set()
        return status(429, **{"Retry-After": "60"})

    with serving(busy) as server:
        asked = asker(server)
        started = time.monotonic()
        with pytest.raises(Stopped):
            asked.get("Patient/1")
        assert time.monotonic() - started < 50
        assert len(server.requests) == 1
        with pytest.raises(Stopped):
            asked.get("Patient/1")
        assert len(server.requests) == 1


def test_a_signal_asks_first_and_ends_the_process_when_repeated() -> None:
    program = (
        "import signal, threading, time\n"
        "from cds_hooks.interop.stop import stoppable\n"
        "stop = threading.Event()\n"
        "with stoppable(stop):\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    print(stop.is_set(), flush=True)\n"
        "    stop.clear()\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print(stop.is_set(), flush=True)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    print('still here', flush=True)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert (ran.returncode, ran.stdout.split()) == (-signal.SIGTERM, ["True", "True"])
    assert ran.stderr.count("Stopping after this step") == 2
    assert "--clean MANIFEST" in ran.stderr


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        stop = threading.Event()
        with stoppable(stop):
            signal.raise_signal(signal.SIGINT)
        assert not stop.is_set()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_is_about_to_be_created_is_on_disk_before_it_is_sent(tmp_path: Path) -> None:
    """At every creation the manifest names the resource already."""
    path, seen = tmp_path / "run.jsonl", []

    class Watching(WritableEpic):
        def create(self, kind: str, request: Request) -> Reply:
            if kind:
                value = json.loads(request.body)["identifier"][-1]["value"]
                seen.append(value in path.read_text())
            return super().create(kind, request)

    with serving(Watching()) as server:
        manifest = Manifest.begun(path, new_run(), server.base)
        load(marked(SUBJECT, manifest.run), asker(server), manifest, Loading())
        assert len(manifest.left) == len(resources(server)) == len(seen)
        assert all(seen)
        assert clean(manifest, asker(server), check=False).whole
        assert resources(server) == []


def test_kept_patients_are_removed_later(tmp_path: Path) -> None:
    with serving(WritableEpic()) as server:
        ran = vestige(
            *("interop", server.base, "--json", "--keep", "--own-hook", "--sample", "nothing-to-say"),
            *("--manifest", "run.jsonl", "--timeout", 300),
            cwd=tmp_path,
        )
        assert (ran.code, ran.json["kept"], ran.json["cleaned"]) == (0, True, None)
        assert len(resources(server)) == ran.json["created"]
        other = vestige("interop", "https://fhir.example/r4", "--clean", "run.jsonl", cwd=tmp_path)
        assert other.code == 2
        assert vestige("interop", "--clean", "run.jsonl", cwd=tmp_path).code == 0
        assert resources(server) == []


# ---------------------------------------------------------------------------------------- what is never touched
def test_only_what_carries_the_mark_of_the_run_is_deleted(tmp_path: Path) -> None:
    """A manifest that names somebody else's resources does them no harm."""
    theirs = [{"resourceType": "Patient", "id": "theirs"}, {"resourceType": "Observation", "id": "theirs"}]
    with serving(WritableEpic(theirs)) as server:
        path = tmp_path / "forged.jsonl"
        manifest = Manifest.begun(path, new_run(), server.base)
        manifest.created([Planned(type="Patient", identifier="x", id="theirs")])
        manifest.plan([Planned(type="Observation", identifier="y", id="theirs")])
        ran = vestige("interop", "--clean", path, "--json", cwd=tmp_path)
        assert ran.code == 1
        assert len(ran.json["left"]) == 2
        assert all("does not carry the mark" in one for one in ran.json["left"])
        assert len(resources(server)) == 2
        assert not [one for one in server.requests if one.method == "DELETE"]


def test_a_creation_that_matched_anothers_resource_ends_the_run(tmp_path: Path) -> None:
    """A server that ignores the condition's identifier answers 200 with somebody's patient: never ours to delete."""

    class Matching(WritableEpic):
        def create(self, kind: str, request: Request) -> Reply:
            return status(200, Location="/fhir/Patient/theirs/_history/1") if kind else status(400)

    with serving(Matching([{"resourceType": "Patient", "id": "theirs"}])) as server:
        manifest = Manifest.begun(tmp_path / "run.jsonl", new_run(), server.base)
        with pytest.raises(FhirError, match="did not say that and where"):
            load(marked(SUBJECT, manifest.run), asker(server), manifest, Loading())
        assert clean(manifest, asker(server), check=False).removed == 0
        assert len(resources(server)) == 1


def test_a_server_that_ignores_the_identifier_is_not_believed(tmp_path: Path) -> None:
    def everybody(request: Request, server: Hostile) -> Reply:
        theirs = {"resource": {"resourceType": "Patient", "id": "theirs"}}
        return resource({"resourceType": "Bundle", "type": "searchset", "entry": [theirs]})

    with serving(everybody) as server:
        manifest = Manifest.begun(tmp_path / "run.jsonl", new_run(), server.base)
        manifest.plan([Planned(type="Patient", identifier="Patient-x")])
        done = clean(manifest, asker(server), check=True)
        assert not done.whole
        assert not [one for one in server.requests if one.method != "GET"]
    assert manifest.path.exists()


def test_an_asker_for_reading_writes_nothing() -> None:
    with serving(WritableEpic()) as server:
        chosen = FhirServer(base=server.base)
        reading = Asker(chosen, server.base, Access().opened(chosen, LIMITS), LIMITS, Journal())
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            with pytest.raises(ValueError, match="only reads"):
                reading.send(method, "Patient/1", {})
        assert server.requests == []


# ---------------------------------------------------------------------------------------- fallbacks
def test_a_type_that_is_refused_is_left_out_and_said(tmp_path: Path) -> None:
    class Without(WritableEpic):
        absent = frozenset({"BodyStructure", "MedicationStatement"})

    subject = sample_subjects(today(Settings()), ["cea-discordant"])[0]
    loading = Loading()
    with serving(Without()) as server:
        manifest = Manifest.begun(tmp_path / "run.jsonl", new_run(), server.base)
        loaded = load(marked(subject, manifest.run), asker(server), manifest, loading)
        assert clean(manifest, asker(server), check=False).whole
        assert resources(server) == []
    assert loaded.missing == ("BodyStructure",)
    assert set(loading.refused) == {"BodyStructure"}
    assert any("BodyStructure cannot be created" in note for note in loading.notes)


def test_what_is_referred_to_comes_first() -> None:
    for name in samples.names():
        known = marked(sample_subjects(today(Settings()), [name])[0], "vi-000000000000").resources
        seen: set[str] = set()
        own = {f"{one['resourceType']}/{one['id']}" for one in known}
        for one in in_order(known):
            assert not (references(one) & own) - seen - {f"{one['resourceType']}/{one['id']}"}
            seen.add(f"{one['resourceType']}/{one['id']}")


# ---------------------------------------------------------------------------------------- patients
@pytest.mark.parametrize("name", samples.names())
def test_marked_patients_keep_their_references(name: str) -> None:
    subject = sample_subjects(today(Settings()), [name])[0]
    run = new_run()
    told = marked(subject, run)
    own = {f"{one['resourceType']}/{one['id']}" for one in told.resources}
    for one in told.resources:
        assert len(one["id"]) <= 64
        assert is_marked(one, run)
        assert not is_marked(one, new_run())
        assert {each for each in references(one) if not each.startswith("http")} <= own
    before = {f"{one['resourceType']}/{one['id']}" for one in subject.resources}
    assert not own & before
    assert len(own) == len(before)


def test_the_identifier_alone_is_mark_enough() -> None:
    """Some servers drop tags."""
    run = new_run()
    one = dict(marked(SUBJECT, run).resources[0])
    del one["meta"]
    assert is_marked(one, run)
    one["identifier"] = [each for each in one["identifier"] if each["system"] != RUN_IDENTIFIER]
    assert not is_marked(one, run)


def test_a_folder_of_patients(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no patient"):
        folder_subjects(tmp_path, today(Settings()))
    (tmp_path / "a.expected.yaml").write_text("today: 2026-01-01\nlesions: {L1: VISIBLE}\nmistake: 1\n")
    with pytest.raises(InputError, match="cannot be read"):
        folder_subjects(tmp_path, today(Settings()))
    sample = samples.sample("nothing-to-say")
    (tmp_path / "a.json").write_text(json.dumps(sample.bundle))
    (tmp_path / "a.hook.json").write_text(json.dumps(sample.hook))
    with pytest.raises(InputError, match="mistake"):
        folder_subjects(tmp_path, today(Settings()))


# ---------------------------------------------------------------------------------------- the manifest
def test_a_manifest_that_was_cut_short_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    manifest = Manifest.begun(path, new_run(), "http://127.0.0.1:9/fhir")
    manifest.plan([Planned(type="Patient", identifier="a"), Planned(type="Observation", identifier="b")])
    manifest.created([Planned(type="Patient", identifier="a", id="7")])
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"did":"pl')
    found = Manifest.read(path)
    assert [(one.name, one.id) for one in found.left] == [("Patient|a", "7"), ("Observation|b", None)]
    assert found.made == {"Patient|a"}
    path.write_bytes(whole.replace(b'"did":"plan"', b'"did"', 1))
    with pytest.raises(InputError, match="line 2"):
        Manifest.read(path)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "no json", '{"format":"x","version":1,"run":"vi-1","base":"http://a/b","started":""}'],
)
def test_what_is_no_manifest_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(InputError, match="is no manifest"):
        Manifest.read(path)


def test_a_manifest_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    Manifest.begun(path, new_run(), base_of("http://127.0.0.1:9/fhir"))
    with pytest.raises(InputError, match="exists"):
        Manifest.begun(path, new_run(), "http://127.0.0.1:9/fhir")
