"""Tokens that were used, in the site's database: accepted once by all workers, over a restart, too."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from plugin.database import engine_of, in_memory, insert_into, kind_of, upgrade
from plugin.errors import StoreError
from plugin.tables import USED_TOKEN

FORGET_SECONDS = 60.0
# A clock that was set forward by less than this, and back again, makes no token new.
SLACK_SECONDS = 3600.0


class UsedTokens:
    """The (issuer, jti) pairs that were used, each until it expires; only their digests are kept.

    Safe to use from several threads and processes; raises StoreError where the database cannot be used.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._forgotten = -math.inf
        self._engine = engine_of(url)
        self._alone = threading.RLock() if in_memory(self._engine.url) else nullcontext()
        try:
            upgrade(self._engine)
        except SQLAlchemyError as error:
            raise StoreError(f"used tokens: the database cannot be used: {kind_of(error)}") from error

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        """Returns True once for each pair until `expires` (seconds since the epoch): one insert decides."""
        token = sha256(f"{len(issuer)}:{issuer}{jti}".encode("utf-8", "surrogatepass")).hexdigest()
        values = {"token": token, "expires": math.ceil(expires)}
        try:
            with self._alone, self._engine.begin() as connection:
                self._forget(connection)
                insert = insert_into(USED_TOKEN, connection).values(values).on_conflict_do_nothing()
                return connection.execute(insert.returning(USED_TOKEN.c.token)).first() is not None
        except SQLAlchemyError as error:
            raise StoreError(f"used tokens: the database cannot be used: {kind_of(error)}") from error

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def _forget(self, connection: sa.Connection) -> None:
        now = self._clock()
        if abs(now - self._forgotten) >= FORGET_SECONDS:
            connection.execute(sa.delete(USED_TOKEN).where(USED_TOKEN.c.expires < now - SLACK_SECONDS))
            self._forgotten = now
