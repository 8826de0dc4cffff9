"""What the page does for a session, off the event loop: sign in, read, decide, tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cds_hooks import log
from cds_hooks.timeline_page.comparison import outcome_of
from cds_hooks.timeline_page.data import document, resources_of, why_document
from cds_hooks.timeline_page.form import form
from cds_hooks.timeline_page.reading import Reading, proposed
from cds_hooks.timeline_page.scopes import may_write
from cds_hooks.timeline_page.session import Desk, Flow, Purpose, Session, Writes, new_secret
from cds_hooks.timeline_page.smart import Granted, Smart
from cds_hooks.timeline_page.store import Stored, store_bundle
from plugin.address import base_of
from plugin.advice import advise, shown
from plugin.chart import Chart
from plugin.decision import Decision
from plugin.errors import CallError
from plugin.pull import HookInput
from plugin.settings import Settings

HOOK = "patient-view"
MOST_TOKENS = 200


class Decides(Protocol):
    """Reads a patient's record and decides on it, as for a hook call."""

    def look(self, asked: HookInput) -> tuple[Chart, Decision]:
        """Returns what was read and what was decided; raises NoData (412)."""

    def decided(self, chart: Chart) -> Decision:
        """Returns what is decided on a chart."""


@dataclass(frozen=True, kw_only=True)
class SetOut:
    """A sign-in that begins: where to send the browser, and the value that ties it to that browser."""

    address: str
    browser: str


class Page:
    """The page of one site; used from several threads."""

    def __init__(self, settings: Settings, decides: Decides, base: str, before: Page | None = None) -> None:
        self.settings = settings
        # Who is signed in stays so when settings and rules change.
        self.desk: Desk = Desk(settings.page.max_sessions) if before is None else before.desk
        self.desk.sessions.limit(settings.page.max_sessions)
        self.smart = Smart(settings, f"{base}/timeline/callback")
        self._decides = decides

    # ---------------------------------------------------------------------------------- sign-in

    def set_out(
        self, iss: str, launch: str | None, purpose: Purpose = "read", session: Session | None = None
    ) -> SetOut:
        """Returns where a person signs in; raises CallError for a server that is not ours."""
        found = self.smart.discover(iss)
        flow = Flow(
            server=base_of(iss),
            issuer=found.issuer,
            token_endpoint=found.token_endpoint,
            jwks_uri=found.jwks_uri,
            verifier=new_secret(),
            nonce=new_secret(),
            browser=new_secret(),
            launch=launch,
            purpose=purpose,
            session=session.id if session else None,
        )
        state = new_secret()
        address = self.smart.address(found, flow, state)
        self.desk.begin(state, flow)
        return SetOut(address=address, browser=flow.browser)

    def ask_to_write(self, session: Session) -> SetOut:
        """Returns where the right to store a reading is granted; CallError (409) where none is to be had."""
        # Without a reading that waits a link of somebody else's could make a person grant what nobody needs.
        if session.writes != "ask" or session.pending is None:
            raise CallError("No reading waits for the right to be stored.", status=409, code="conflict")
        return self.set_out(session.server, session.launch, "write", session)

    def come_back(
        self, state: str | None, code: str | None, error: str | None, issuer: str | None, browser: str | None
    ) -> Session:
        """Returns the session of a sign-in that came back; CallError (403) for one that did not begin here.

        A state serves once. The session's id is new, whatever cookie the browser had before.
        """
        flow = self.desk.flows.take(state)
        if flow is None or not flow.begun_in(browser):
            raise CallError(
                "This sign-in was not begun here, or took too long; open the page from the chart again.",
                status=403,
                code="login",
            )
        if issuer is not None and flow.issuer is not None and issuer != flow.issuer:
            raise CallError("Another server answered this sign-in.", status=403, code="login")
        before = self.desk.sessions.get(flow.session)
        if error is not None or code is None:
            if before is not None:
                return self._without_writing(before)
            raise CallError("The authorisation server refused the sign-in.", status=403, code="login")
        granted = self.smart.exchange(flow, code)
        entered = self._entered(flow, granted, before)
        log.page_line("sign-in", server=flow.server, purpose=flow.purpose, writes=entered.writes)
        return entered

    def _entered(self, flow: Flow, granted: Granted, before: Session | None) -> Session:
        if before is not None and (granted.patient != before.patient or flow.server != before.server):
            raise CallError(
                "The sign-in was for another patient; nothing was stored.", status=403, code="login"
            )
        if before is not None and before.user != granted.user:
            raise CallError(
                "The sign-in was by another person; nothing was stored.", status=403, code="login"
            )
        if before is not None:
            self.desk.sessions.take(before.id)
        life = min(granted.seconds, self.settings.page.session_minutes * 60)
        return self.desk.open(
            Session(
                id=new_secret(),
                csrf=new_secret(),
                server=flow.server,
                patient=granted.patient,
                token=granted.token,
                scope=granted.scope,
                until=self.desk.clock() + life,
                user=granted.user,
                encounter=granted.encounter,
                launch=flow.launch,
                selected=granted.selected or (before.selected if before else ()),
                writes=self._writes(flow, granted),
                pending=before.pending if before else None,
            )
        )

    def _writes(self, flow: Flow, granted: Granted) -> Writes:
        _, _, client = self.smart.server(flow.server)
        if may_write(granted.scope):
            return "granted"
        return "ask" if client.write and flow.purpose == "read" else "download"

    def _without_writing(self, before: Session) -> Session:
        """The session as it was, under a new id: the right was refused, and the reading can be downloaded."""
        self.desk.sessions.take(before.id)
        values = {**_members(before), "id": new_secret(), "csrf": new_secret(), "writes": "download"}
        return self.desk.open(Session(**values))

    # ---------------------------------------------------------------------------------- the record

    def data(self, session: Session) -> dict[str, Any]:
        """Returns the timeline document of the session's patient, read anew."""
        chart, decision = self._look(session)
        settings = self.settings
        advices = advise(decision, HOOK, settings=settings, language=settings.cards.language)
        made = document(decision, chart, advices, shown(decision, HOOK), settings, HOOK)
        return {**made, "writes": session.writes}

    def why(self, session: Session, lesion: str) -> dict[str, Any]:
        """Returns the chains of one lesion; CallError (404) where there is none of this id."""
        _, decision = self._seen(session)
        found = why_document(decision, lesion)
        if found is None:
            raise CallError("The record has no lesion of this id.", status=404, code="not-found")
        return found

    def resources(self, session: Session, tokens: Sequence[str]) -> dict[str, Any]:
        """Returns the FHIR resources behind what is shown."""
        chart, _ = self._seen(session)
        return resources_of(chart, list(tokens)[:MOST_TOKENS])

    def _look(self, session: Session) -> tuple[Chart, Decision]:
        _, server, _ = self.smart.server(session.server)
        chart, decision = self._decides.look(
            HookInput(
                hook=HOOK,
                patient_id=session.patient,
                context={"patientId": session.patient},
                fhir_server=session.server,
                authorization={
                    "access_token": session.token,
                    "token_type": "Bearer",
                    "expires_in": max(session.until - self.desk.clock(), 0.0),
                },
                issuer=server.issuer,
            )
        )
        session.seen.chart, session.seen.decision, session.seen.by = chart, decision, self
        return chart, decision

    def _seen(self, session: Session) -> tuple[Chart, Decision]:
        chart, decision = session.seen.chart, session.seen.decision
        if chart is None or decision is None or session.seen.by is not self:
            return self._look(session)
        return chart, decision

    # ---------------------------------------------------------------------------------- a reading

    def form(self, session: Session, study: str | None) -> dict[str, Any]:
        """Returns what the form of a reading asks, filled in with what is known."""
        _, decision = self._seen(session)
        return form(decision, self.settings, study)

    def preview(self, session: Session, reading: Reading) -> dict[str, Any]:
        """Returns the decision before and after a reading; nothing is stored."""
        chart, decision = self._seen(session)
        made = proposed(chart, decision, reading, session.user, self.settings)
        after = self._decides.decided(made.chart)
        return {**outcome_of(decision, after, self.settings), "bundle": made.bundle, "problems": []}

    def record(self, session: Session, reading: Reading, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a reading, asks for the right to do so first, or returns it to be downloaded."""
        chart, decision = self._look(session)
        made = proposed(chart, decision, reading, session.user, self.settings)
        if session.writes == "ask":
            self.desk.change(session, pending=dict(sent))
            return {"stored": False, "authorise": "write"}
        if session.writes == "download":
            return {"stored": False, "bundle": made.bundle}
        _, server, _ = self.smart.server(session.server)
        stored: Stored = store_bundle(server, session.token, made.bundle, self.settings.fhir)
        log.page_line("reading", server=session.server, stored=len(stored.resources))
        self._look(session)
        self.desk.change(session, pending=None)
        return {"stored": True, "resources": list(stored.resources)}


def _check_same(before: Session, flow: Flow, granted: Granted) -> None:
    """Refuses a second sign-in that was for another patient or by another person."""
    if granted.patient != before.patient or flow.server != before.server:
        raise CallError("The sign-in was for another patient; nothing was stored.", status=403, code="login")
    if before.user != granted.user:
        raise CallError("The sign-in was by another person; nothing was stored.", status=403, code="login")


def _members(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in session.__dataclass_fields__}
