"""Reads patients from the server as the service does, and decides: what its answers are held to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cds_hooks.interop.calls import authorization
from plugin.chart import Chart
from plugin.decide import decide
from plugin.decision import Decision
from plugin.dialects import Dialect
from plugin.probe.access import Entrance
from plugin.probe.journal import Journal
from plugin.probe.recording import Reading, Readings, RecordingClient
from plugin.pull import HookInput, Sessions, pull
from plugin.pull.transport import Deadline
from plugin.settings import Fhir, FhirServer, Settings, today
from rules.evaluate import Evaluator


class Reader:
    """One server, read-only; `readings` holds what was read of the last patient."""

    def __init__(
        self,
        settings: Settings,
        server: FhirServer,
        entrance: Entrance,
        limits: Fhir,
        evaluator: Evaluator,
        journal: Journal,
    ) -> None:
        self.readings = Readings()
        self._limits = limits
        self._entrance = entrance
        self._evaluator = evaluator
        self._journal = journal
        self._base = server.base
        chosen = msgspec.structs.replace(server, issuer=None, backend=None, open=self.token() is None)
        self._settings = msgspec.structs.replace(
            settings, fhir=msgspec.structs.replace(limits, servers=(chosen,))
        )
        self._sessions = Sessions(
            self._settings, clients=lambda **fields: RecordingClient(readings=self.readings, **fields)
        )
        self._server = self._sessions.server(chosen)
        # Known from the first patient on: else the first would be asked for in other ways than the rest.
        self._server.learn_now(self.token())
        self._note()

    @property
    def dialect(self) -> Dialect | None:
        """The make of the server, where it is known."""
        return self._server.known.dialect

    @property
    def revision(self) -> str:
        """The revision of the rule pack."""
        return self._evaluator.pack.revision

    @property
    def settings(self) -> Settings:
        """The settings under which is decided."""
        return self._settings

    def token(self) -> str | None:
        """Returns a token for reading, or None where none is wanted."""
        return self._entrance.token(Deadline(self._limits.budget))

    def read(self, hook: str, context: Mapping[str, Any]) -> Chart:
        """Returns the chart of the context's patient, read without any prefetch; raises NoData."""
        self.readings.clear()
        token = self.token()
        call = HookInput(
            hook=hook,
            patient_id=str(context["patientId"]),
            context=context,
            fhir_server=self._base,
            authorization=None if token is None else authorization(token),
        )
        try:
            return pull(call, self._settings, self._sessions)
        finally:
            self._note()

    def decided(self, chart: Chart) -> Decision:
        """Returns the decision on a chart."""
        return decide(chart, self._evaluator, today=today(self._settings), settings=self._settings)

    def close(self) -> None:
        """Closes every connection."""
        self._sessions.close()
        self._entrance.close()

    def _note(self) -> None:
        for one in self.readings:
            self._journal.note(
                to="fhir",
                method="GET",
                url=one.link if one.link.startswith("http") else f"{self._base}/{one.link}",
                sent_headers={},
                sent=None,
                status=None if one.resource is None else 200,
                got_headers={},
                got=None if one.resource is None else msgspec.json.encode(one.resource),
                milliseconds=one.milliseconds,
                note=_why(one),
                about="read",
            )


def _why(one: Reading) -> str | None:
    return None if one.reason is None else f"{one.reason.value}: {one.detail}"
