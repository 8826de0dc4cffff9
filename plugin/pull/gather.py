"""A hook call in, a chart out: the prefetch first, then only what is missing from the FHIR server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import requests

from plugin.chart import Chart, Gap, GapReason, Read
from plugin.errors import FhirError, NoData
from plugin.pull import search
from plugin.pull.address import AddressError, base_of, permitted
from plugin.pull.call import HookInput, bearer
from plugin.pull.chart_of import folded, owned, weighed
from plugin.pull.client import Client
from plugin.pull.drafts import drafts
from plugin.pull.owner import Identity, Owner
from plugin.pull.prefetch import Answer, State, failed, gap, judge
from plugin.pull.queries import BY_KEY, QUERIES, Query
from plugin.pull.references import dangling
from plugin.pull.transport import Deadline, Sessions
from plugin.settings import FhirServer, Settings

SessionFactory = Callable[[FhirServer], requests.Session]
Task = Callable[[], Answer]
THREADS = "vestige-pull"


def pull(call: HookInput, settings: Settings, sessions: SessionFactory | None = None) -> Chart:
    """Returns the chart of the call's patient, with a gap for everything that was not read.

    Raises NoData (412) where there is neither usable prefetch nor FHIR access for anything decisive.
    """
    own = Sessions(settings) if sessions is None else None
    try:
        return _Pull(call, settings, own if own is not None else sessions).run()
    finally:
        if own is not None:
            own.close()


class _Pull:
    def __init__(self, call: HookInput, settings: Settings, sessions: SessionFactory | None) -> None:
        self._call = call
        self._settings = settings
        self._started = time.monotonic()
        self._milliseconds: dict[str, float] = {}
        self._base = _known_base(call.fhir_server)
        self._identity = Identity(call.patient_id, self._base)
        self._client: Client | None = None
        self._no_access = "no FHIR server was named"
        if call.fhir_server is not None and sessions is not None:
            self._open(sessions)

    def run(self) -> Chart:
        judged = [judge(query, self._call.prefetch, self._call.patient_id) for query in QUERIES]
        answers = self._completed(judged)
        self._note("queries")
        if self._client is None and not any(one.usable and one.query.decisive for one in answers):
            gaps = tuple(one for answer in answers for one in answer.gaps)
            raise NoData(self._need(), gaps)
        self._learn(answers)
        answers = [owned(answer, self._identity) for answer in answers]
        resources = folded(one for answer in answers for one in answer.resources)
        resources, gaps = self._referred(resources, [one for answer in answers for one in answer.gaps])
        self._note("references")
        hook = drafts(self._call.context, self._identity)
        return Chart(
            patient_id=self._call.patient_id,
            resources=resources,
            drafts=hook.resources,
            gaps=(*gaps, *hook.gaps),
            base=self._base,
            hook=self._call.hook,
            draft_tokens=hook.tokens,
            selections=hook.selections,
            reads=_reads(judged, answers, resources),
            milliseconds=dict(self._milliseconds),
        )

    def _open(self, sessions: SessionFactory) -> None:
        """Prepares the FHIR server for this call, or notes in words why it is not asked."""
        try:
            server = permitted(self._settings, self._call.fhir_server or "", self._call.issuer)
        except AddressError as error:
            self._no_access = f"the FHIR server is not asked: {error}"
            return
        token = bearer(self._call)
        if isinstance(token, str):
            self._no_access = token
            return
        if token is None and not server.open:
            self._no_access = "no access token came with the FHIR server"
            return
        seconds = self._settings.fhir.budget
        self._client = Client(
            session=sessions(server),
            base=base_of(server.base),
            limits=self._settings.fhir,
            deadline=Deadline(seconds if token is None else min(seconds, token.expires_in)),
            token=None if token is None else token.token,
        )

    def _completed(self, judged: list[Answer]) -> list[Answer]:
        """Asks what the client did not, and reads on where its Bundles go on."""
        if self._client is None:
            return [self._unasked(answer) for answer in judged]
        client = self._client
        tasks: dict[int, Task] = {}
        for index, answer in enumerate(judged):
            if answer.state is State.MISSING:
                tasks[index] = _asking(client, answer.query, self._call.patient_id)
            elif answer.next_url is not None and answer.state is not State.FAILED:
                tasks[index] = _following(client, answer)
        done = self._in_parallel(client, tasks)
        return [
            done.get(index, _late(answer) if index in tasks else answer)
            for index, answer in enumerate(judged)
        ]

    def _unasked(self, answer: Answer) -> Answer:
        if answer.state is State.MISSING:
            return replace(answer, gaps=(gap(answer.query, GapReason.NOT_FETCHED, self._no_access),))
        if answer.next_url is not None and answer.state is not State.FAILED:
            text = f"a further page was not read: {self._no_access}"
            return replace(answer, gaps=(*answer.gaps, gap(answer.query, GapReason.TRUNCATED, text)))
        return answer

    def _in_parallel(self, client: Client, tasks: Mapping[int, Task]) -> dict[int, Answer]:
        """Runs the tasks side by side; those that outlast the deadline are cut off and left out."""
        if not tasks:
            return {}
        workers = min(self._settings.fhir.parallel, len(tasks))
        pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix=THREADS)
        futures: dict[Future[Answer], int] = {pool.submit(task): index for index, task in tasks.items()}
        try:
            done, late = wait(futures, timeout=client.deadline.remaining)
            if late:
                client.flights.cut()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return {futures[future]: future.result() for future in done}

    def _learn(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            for resource in answer.resources:
                if resource.get("resourceType") == "Patient" and self._identity.owner(resource) is Owner.OURS:
                    self._identity.learn(resource)

    def _referred(
        self, resources: tuple[Mapping[str, Any], ...], gaps: list[Gap]
    ) -> tuple[tuple[Mapping[str, Any], ...], tuple[Gap, ...]]:
        """Reads what the resources refer to and no search gave."""
        names = dangling(resources, self._base)[: self._settings.fhir.max_references]
        if self._client is not None:
            client = self._client
            done = self._in_parallel(client, {at: _reading(client, name) for at, name in enumerate(names)})
            found = [owned(done[at], self._identity) for at in sorted(done)]
            resources = folded((*resources, *(one for answer in found for one in answer.resources)))
        unresolved = [name.split("/", 1)[0] for name in dangling(resources, self._base)]
        told = {one.resource for one in gaps}
        missing = [_unread(kind, unresolved.count(kind)) for kind in sorted(set(unresolved) - told)]
        return resources, weighed([*gaps, *missing], resources, frozenset(unresolved))

    def _need(self) -> str:
        keys = ", ".join(query.key for query in QUERIES if query.decisive)
        return (
            f"Nothing decisive can be read: {self._no_access}, and the prefetch holds no usable {keys}. "
            "Send one of these keys, or fhirServer with fhirAuthorization for a server on the allow list."
        )

    def _note(self, step: str) -> None:
        self._milliseconds[step] = (time.monotonic() - self._started) * 1000


def _asking(client: Client, query: Query, patient_id: str) -> Task:
    return lambda: search.answer(client, query, patient_id)


def _following(client: Client, answer: Answer) -> Task:
    return lambda: search.follow(client, answer.query, answer)


def _reading(client: Client, name: str) -> Task:
    query = _BY_REFERENCE[name.split("/", 1)[0]]

    def task() -> Answer:
        try:
            resource = client.get(name)
        except FhirError as error:
            return failed(query, error.reason, error.detail)
        if f"{resource['resourceType']}/{resource.get('id')}" != name:
            return failed(query, GapReason.UNREADABLE, "the server answered with another resource")
        return Answer(query=query, state=State.PRESENT, resources=(resource,))

    return task


def _late(answer: Answer) -> Answer:
    """What is left of an answer whose server did not come to an end: never "nothing"."""
    late = gap(answer.query, GapReason.TIMEOUT, "the server did not answer within the time for this call")
    if answer.state is State.MISSING:
        return replace(answer, state=State.FAILED, gaps=(late,))
    return replace(answer, state=State.INCOMPLETE, gaps=(*answer.gaps, late))


def _unread(kind: str, count: int) -> Gap:
    query = _BY_REFERENCE[kind]
    return gap(query, GapReason.NOT_FETCHED, f"{count} resources that others refer to were not read")


def _known_base(fhir_server: str | None) -> str | None:
    try:
        return base_of(fhir_server) if fhir_server is not None else None
    except AddressError:
        return None


def _reads(
    judged: Iterable[Answer], answers: Iterable[Answer], resources: tuple[Mapping[str, Any], ...]
) -> tuple[Read, ...]:
    """Says where each answer came from; what no search gave came by reference."""
    reads = []
    for before, after in zip(judged, answers, strict=True):
        key, kind = after.query.key, after.query.resource
        if after.usable:
            source = "fhir" if before.state is State.MISSING else "prefetch"
            reads.append(Read(query=key, source=source, count=len(after.resources)))
        elif count := sum(one.get("resourceType") == kind for one in resources if key in _BY_REFERENCE_KEYS):
            reads.append(Read(query=key, source="references", count=count))
    return tuple(reads)


# What is read by reference completes a record that the searches gave: alone it decides nothing.
_BY_REFERENCE = {
    "BodyStructure": replace(BY_KEY["lesions"], decisive=False),
    "ImagingStudy": replace(BY_KEY["studies"], decisive=False),
    "Medication": Query(key="drugs", resource="Medication", template="", feeds=("dose", "therapy")),
}
_BY_REFERENCE_KEYS = frozenset(query.key for query in _BY_REFERENCE.values())
