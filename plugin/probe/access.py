"""How a command gets into a FHIR server: with nothing, a bearer token, our key, or a client secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import msgspec

from plugin.errors import InputError
from plugin.pull.backend import RESOURCES, Tokens
from plugin.pull.transport import Deadline
from plugin.settings import Backend, Fhir, FhirServer

Way = Literal["none", "bearer", "backend", "client-credentials"]
WAYS: tuple[Way, ...] = ("none", "bearer", "backend", "client-credentials")


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A client id with a shared secret; `token_endpoint` and `scopes` as in SMART Backend Services."""

    client_id: str
    secret: str = field(repr=False)
    token_endpoint: str | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Access:
    """One way in; it holds what proves us, and appears in no text."""

    way: Way = "none"
    bearer: str | None = field(default=None, repr=False)
    backend: Backend | None = field(default=None, repr=False)
    client: Secret | None = field(default=None, repr=False)

    def opened(self, server: FhirServer, limits: Fhir, *, write: bool = False) -> Entrance:
        """Returns the way into one server, to read or, with `write`, also to create and delete."""
        if self.way in ("none", "bearer"):
            return Entrance(self.bearer, None)
        registration = self.backend if self.backend is not None else self.client
        assert registration is not None
        if write and not registration.scopes:
            registration = _with_scopes(registration, writing())
        if isinstance(registration, Backend):
            return Entrance(None, Tokens(server, registration, limits))
        return Entrance(None, Tokens(server, registration, limits, proof=_proof(registration)))


class Entrance:
    """A token for one server whenever one is needed; safe to use from several threads."""

    def __init__(self, bearer: str | None, tokens: Tokens | None) -> None:
        self._bearer = bearer
        self._tokens = tokens
        self._seen: set[str] = set()

    def token(self, deadline: Deadline) -> str | None:
        """Returns a token that is good now, or None where none is wanted; FhirError where none can be had."""
        found = self._bearer if self._tokens is None else self._tokens.token(deadline)
        if found is not None:
            self._seen.add(found)
        return found

    def renewed(self, old: str, deadline: Deadline) -> str | None:
        """Returns another token in place of one that was refused, or None."""
        found = None if self._tokens is None else self._tokens.renewed(old, deadline)
        if found is not None:
            self._seen.add(found)
        return found

    def secrets(self) -> frozenset[str]:
        """The tokens that were in use."""
        return frozenset(self._seen)

    def close(self) -> None:
        """Closes the connections and forgets the tokens, but for redaction."""
        if self._tokens is not None:
            self._tokens.close()


def writing() -> tuple[str, ...]:
    """Returns the scopes to create, read and delete everything that is loaded, in SMART 2's spelling."""
    return tuple(f"system/{kind}.cruds" for kind in RESOURCES)


def secret_of(file: Path | None, variable: str, environ: Mapping[str, str], what: str) -> str:
    """Returns a secret from a file or a variable of the environment; InputError where there is none."""
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: the {what} cannot be read from it") from error
    else:
        text = environ.get(variable, "").strip()
    if not text or any(not 33 <= ord(letter) <= 126 for letter in text):
        where = str(file) if file is not None else f"the variable {variable}"
        raise InputError(f"{where} holds no usable {what}")
    return text


def _with_scopes(registration: Backend | Secret, scopes: tuple[str, ...]) -> Backend | Secret:
    if isinstance(registration, Backend):
        return msgspec.structs.replace(registration, scopes=scopes)
    return replace(registration, scopes=scopes)


def _proof(client: Secret) -> Callable[[str], Mapping[str, str]]:
    """The id and the secret in the body of the form (RFC 6749, 2.3.1)."""
    return lambda _endpoint: {"client_id": client.client_id, "client_secret": client.secret}
