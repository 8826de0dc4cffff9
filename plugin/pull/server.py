"""What the process keeps of each FHIR server: connections, what the server can do, our own token for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import requests

from plugin.dialects import Dialect, dialects
from plugin.errors import FhirError
from plugin.pull.address import base_of
from plugin.pull.capability import Capability, capability_of, configured
from plugin.pull.client import Client
from plugin.pull.transport import Deadline, new_session, watched
from plugin.settings import Fhir, FhirServer, Settings

if TYPE_CHECKING:
    from plugin.pull.backend import Tokens

THREADS = "vestige-pull"
_MOST_THREADS = 128  # over all calls at once; they start as they are needed
# A CapabilityStatement changes with an upgrade; one that could not be had is asked for again soon.
KEPT_SECONDS = 3600.0
AGAIN_SECONDS = 60.0


class Server:
    """One configured FHIR server for the life of the process; safe to use from several threads."""

    def __init__(
        self,
        chosen: FhirServer,
        limits: Fhir,
        pool: ThreadPoolExecutor,
        clock: Callable[[], float] = time.monotonic,
        clients: Callable[..., Client] = Client,
    ) -> None:
        self.chosen = chosen
        self.base = base_of(chosen.base)
        self.session: requests.Session = new_session(chosen, parallel=limits.parallel)
        self.tokens = _tokens(chosen, limits)
        self._limits = limits
        self._pool = pool
        self._clock = clock
        self._clients = clients
        self._lock = threading.Lock()
        self._dialect: Dialect | None = dialects()[chosen.dialect] if chosen.dialect is not None else None
        self._known = configured(self._dialect)
        self._due = clock()
        self._awaited = self._dialect is None
        self._learning: Future[None] | None = None

    @property
    def known(self) -> Capability:
        """What is known of the server now."""
        return self._known

    def learn(self, token: str | None) -> Future[None] | None:
        """Begins to read the CapabilityStatement where that is due, and returns what may be waited for.

        Waited for is the first reading only, and not where the site named the dialect: later calls know the
        server from before, or that its statement cannot be had.
        """
        with self._lock:
            if self._learning is None and self._clock() >= self._due:
                self._learning = self._pool.submit(self._read, token)
                awaited, self._awaited = self._awaited, False
                return self._learning if awaited else None
        return None

    def learn_now(self, token: str | None) -> None:
        """Reads the CapabilityStatement before anything else, so that every search is asked in one way."""
        self._read(token)

    def _read(self, token: str | None) -> None:
        deadline = Deadline(self._limits.budget)
        client = self._clients(
            session=self.session, base=self.base, limits=self._limits, deadline=deadline, token=token
        )
        kept = AGAIN_SECONDS
        try:
            with watched(client.flights, deadline):
                statement = client.get("metadata")
            if statement["resourceType"] == "CapabilityStatement":
                self._known = capability_of(statement, self._dialect)
                kept = KEPT_SECONDS
        except FhirError:
            pass  # asked as before: an unknown server is one that may answer anything
        finally:
            with self._lock:
                self._due = self._clock() + kept
                self._learning = None

    def close(self) -> None:
        """Closes every connection."""
        self.session.close()
        if self.tokens is not None:
            self.tokens.close()


def _tokens(chosen: FhirServer, limits: Fhir) -> Tokens | None:
    if chosen.backend is None:
        return None
    # Only here: the settings have loaded the cryptography that sites without a backend never need.
    from plugin.pull.backend import Tokens

    return Tokens(chosen, chosen.backend, limits)


class Sessions:
    """The servers of the settings and the threads that ask them, kept for the life of the process.

    `clients` makes the client of each call: the one seam at which reading is recorded, replayed or imagined.
    """

    def __init__(self, settings: Settings, clients: Callable[..., Client] = Client) -> None:
        self._limits = settings.fhir
        self.clients = clients
        self._lock = threading.Lock()
        self._servers: dict[FhirServer, Server] = {}
        self.pool = ThreadPoolExecutor(max_workers=_MOST_THREADS, thread_name_prefix=THREADS)

    def server(self, chosen: FhirServer) -> Server:
        """Returns what is kept of this server."""
        with self._lock:
            if chosen not in self._servers:
                self._servers[chosen] = Server(chosen, self._limits, self.pool, clients=self.clients)
            return self._servers[chosen]

    def close(self) -> None:
        """Closes every connection and ends the threads."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for server in self._servers.values():
                server.close()
            self._servers.clear()
