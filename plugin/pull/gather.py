"""A hook call in, a chart out: the prefetch first, then only what is missing from the FHIR server."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import wait
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from plugin import turns
from plugin.chart import Chart, Gap, GapReason, Read
from plugin.errors import FhirError, NoData
from plugin.pull import search
from plugin.pull.address import AddressError, base_of, permitted
from plugin.pull.call import HookInput, bearer
from plugin.pull.capability import Capability, judged, plan
from plugin.pull.chart_of import folded, owned, weighed
from plugin.pull.client import Client
from plugin.pull.drafts import drafts
from plugin.pull.owner import Identity, Owner
from plugin.pull.prefetch import Answer, State, failed, gap, judge
from plugin.pull.queries import BY_KEY, QUERIES, Query
from plugin.pull.references import dangling
from plugin.pull.server import Server, Sessions
from plugin.pull.transport import Deadline
from plugin.settings import FhirServer, Settings
from plugin.spans import span

Task = Callable[[], Answer]
# How long the first call to a server waits, beyond its slowest search, to learn what the server can do.
LEARN_SECONDS = 0.5


def pull(
    call: HookInput, settings: Settings, sessions: Sessions | None = None, *, in_hook: bool = True
) -> Chart:
    """Returns the chart of the call's patient, with a gap for everything that was not read.

    `sessions` keeps connections, tokens and what servers can do from one call to the next. `in_hook` is False
    for a command that a person of the site runs: our own token then needs no opting in. Raises NoData (412)
    where there is neither usable prefetch nor FHIR access for anything decisive.
    """
    kept = Sessions(settings) if sessions is None else sessions
    try:
        return _Pull(call, settings, kept, in_hook=in_hook).run()
    finally:
        if sessions is None:
            kept.close()


class _Pull:
    def __init__(self, call: HookInput, settings: Settings, sessions: Sessions, *, in_hook: bool) -> None:
        self._call = call
        self._settings = settings
        self._sessions = sessions
        self._in_hook = in_hook
        self._started = time.monotonic()
        budget = settings.fhir.budget
        self._seconds = budget if call.seconds is None else min(budget, max(call.seconds, 0.0))
        self._milliseconds: dict[str, float] = {}
        self._base = _known_base(call.fhir_server)
        self._identity = Identity(call.patient_id, self._base)
        self._server: Server | None = None
        self._client: Client | None = None
        self._no_access = "no FHIR server was named"
        if call.fhir_server is not None:
            self._open()

    def run(self) -> Chart:
        given = [judge(query, self._call.prefetch, self._call.patient_id) for query in QUERIES]
        answers = self._completed(given)
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
            encounter=hook.encounter,
            reads=_reads(given, answers, resources),
            milliseconds=dict(self._milliseconds),
        )

    def _open(self) -> None:
        """Prepares the FHIR server for this call, or notes in words why it is not asked."""
        try:
            chosen = permitted(self._settings, self._call.fhir_server or "", self._call.issuer)
        except AddressError as error:
            self._no_access = f"the FHIR server is not asked: {error}"
            return
        sent = bearer(self._call)
        if isinstance(sent, str):
            # A token that came and does not count says that something is amiss: ours does not replace it.
            self._no_access = sent
        elif sent is not None:
            seconds = min(self._seconds, sent.expires_in)
            self._client = self._asking_as(chosen, Deadline(seconds), sent.token)
        elif chosen.backend is not None and (chosen.backend.in_hooks or not self._in_hook):
            self._open_as_ourselves(chosen)
        elif chosen.open:
            self._client = self._asking_as(chosen, Deadline(self._seconds), None)
        else:
            self._no_access = "no access token came with the FHIR server"

    def _open_as_ourselves(self, chosen: FhirServer) -> None:
        tokens = self._sessions.server(chosen).tokens
        assert tokens is not None
        deadline = Deadline(self._seconds)
        try:
            with turns.waiting():
                token = tokens.token(deadline)
            client = self._asking_as(chosen, deadline, token)
        except FhirError as error:
            self._no_access = error.detail
            return
        self._client = replace(client, renew=lambda old: tokens.renewed(old, deadline))

    def _asking_as(self, chosen: FhirServer, deadline: Deadline, token: str | None) -> Client:
        self._server = server = self._sessions.server(chosen)
        limits = self._settings.fhir
        return self._sessions.clients(
            session=server.session, base=server.base, limits=limits, deadline=deadline, token=token
        )

    def _completed(self, given: list[Answer]) -> list[Answer]:
        """Asks what the client did not, and reads on where its Bundles go on."""
        if self._client is None or self._server is None:
            return [self._unasked(answer) for answer in given]
        client, server = self._client, self._server
        missing = [index for index, answer in enumerate(given) if answer.state is State.MISSING]
        learning = server.learn(client.token) if missing else None
        known = server.known
        tasks = {index: self._asking(client, given[index].query, known) for index in missing}
        for index, answer in enumerate(given):
            if answer.next_url is not None and answer.usable:
                tasks[index] = _following(client, answer)
        done = self._in_parallel(client, tasks)
        if learning is not None:
            with turns.waiting():
                wait([learning], timeout=min(LEARN_SECONDS, client.deadline.remaining))
            done = self._reconsidered(client, done, missing, known, server.known)
        return [
            done.get(index, _late(answer) if index in tasks else answer) for index, answer in enumerate(given)
        ]

    def _reconsidered(
        self, client: Client, done: dict[int, Answer], missing: list[int], before: Capability, now: Capability
    ) -> dict[int, Answer]:
        """Returns the answers in the light of what was learnt meanwhile.

        A search that this make of server is known not to answer is asked in another way, unless it found
        something all the same; its finding nothing would not count.
        """
        done = {index: judged(answer, now) if index in missing else answer for index, answer in done.items()}
        tasks: dict[int, Task] = {}
        for index in missing:
            query = QUERIES[index]
            dropped = set(plan(query, before).ways) - set(plan(query, now).ways)
            if dropped and index in done and done[index].state is not State.PRESENT:
                tasks[index] = self._asking(client, query, now)
        return {**done, **self._in_parallel(client, tasks)}

    def _asking(self, client: Client, query: Query, known: Capability) -> Task:
        return _told(client, query, lambda: search.answer(client, query, self._call.patient_id, known))

    def _unasked(self, answer: Answer) -> Answer:
        if answer.state is State.MISSING:
            return replace(answer, gaps=(gap(answer.query, GapReason.NOT_FETCHED, self._no_access),))
        if answer.next_url is not None and answer.state is not State.FAILED:
            text = f"a further page was not read: {self._no_access}"
            return replace(answer, gaps=(*answer.gaps, gap(answer.query, GapReason.TRUNCATED, text)))
        return answer

    def _in_parallel(self, client: Client, tasks: Mapping[int, Task]) -> dict[int, Answer]:
        """Runs the tasks side by side; those that outlast the deadline are cut off and left out."""
        waiting = deque(tasks)
        done: dict[int, Answer] = {}

        def work() -> None:
            while not client.deadline.over:
                try:
                    index = waiting.popleft()
                except IndexError:
                    return
                done[index] = tasks[index]()

        workers = min(self._settings.fhir.parallel, len(tasks))
        futures = [self._sessions.pool.submit(copy_context().run, work) for _ in range(workers)]
        with turns.waiting():
            ended, late = wait(futures, timeout=client.deadline.remaining)
        settled = dict(done)
        if late:
            client.flights.cut()
            for future in late:
                future.cancel()
        for future in ended:
            future.result()
        return settled

    def _learn(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            for resource in answer.resources:
                if resource.get("resourceType") == "Patient" and self._identity.owner(resource) is Owner.OURS:
                    self._identity.learn(resource)

    def _referred(
        self, resources: tuple[Mapping[str, Any], ...], gaps: list[Gap]
    ) -> tuple[tuple[Mapping[str, Any], ...], tuple[Gap, ...]]:
        """Reads what the resources refer to and no search gave."""
        lacking = dangling(resources, self._base)
        if lacking and self._client is not None and self._server is not None:
            client, known = self._client, self._server.known
            names = [name for name in lacking if not known.lacks(name.split("/", 1)[0])]
            names = names[: self._settings.fhir.max_references]
            done = self._in_parallel(client, {at: _reading(client, name) for at, name in enumerate(names)})
            found = [owned(done[at], self._identity) for at in sorted(done)]
            resources = folded((*resources, *(one for answer in found for one in answer.resources)))
            lacking = dangling(resources, self._base)
        unresolved = [name.split("/", 1)[0] for name in lacking]
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


def _following(client: Client, answer: Answer) -> Task:
    return _told(client, answer.query, lambda: search.follow(client, answer.query, answer))


def _told(client: Client, query: Query, task: Task) -> Task:
    """Returns a task that is one span: base of the server, our name of the query, and what came."""

    def traced() -> Answer:
        with span("search", server=client.base, query=query.key) as told:
            found = task()
            reasons = sorted({one.reason.value for one in found.gaps})
            told.tell(state=found.state.name.lower(), resources=len(found.resources), gaps=" ".join(reasons))
            return found

    return traced


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

    return _told(client, query, task)


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
    given: Iterable[Answer], answers: Iterable[Answer], resources: tuple[Mapping[str, Any], ...]
) -> tuple[Read, ...]:
    """Says where each answer came from; what no search gave came by reference."""
    reads = []
    for before, after in zip(given, answers, strict=True):
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
    "ImagingSelection": Query(
        key="selections", resource="ImagingSelection", template="", feeds=("sighting", "exam")
    ),
    "Medication": Query(key="drugs", resource="Medication", template="", feeds=("dose", "therapy")),
}
_BY_REFERENCE_KEYS = frozenset(query.key for query in _BY_REFERENCE.values())
