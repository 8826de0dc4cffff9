"""The gate: an Authorization header in, a proven caller out, or 401 without a reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Never

from cds_hooks.profiles import PROFILES
from cds_hooks.trust.caller import OPEN, Caller, Proof
from cds_hooks.trust.keys import Jwk, KeyCache, Keys, KeysUnavailable, check_address, keys_of_file
from cds_hooks.trust.replay import Replay, replay_store
from plugin.errors import CallError, SettingsError
from plugin.settings import Issuer, Settings, Trust

MAX_TOKEN = 16 * 1024
MAX_JTI = 1024
ANYBODYS = {profile.trust.issuer for profile in PROFILES.values() if profile.trust.anybody}

log = logging.getLogger("vestige.trust")


class Refused(Exception):
    """A token that is not believed; the text is for the log only and holds nothing of the token."""


@dataclass(frozen=True, kw_only=True)
class _Token:
    text: str
    header: Mapping[str, Any]
    issuer: Issuer


class Gate:
    """Verifies JWTs of CDS clients; safe to use from several threads."""

    def __init__(
        self, settings: Settings, keys: KeyCache | None = None, replay: Replay | None = None
    ) -> None:
        self._open = settings.service.open
        self._trust: Trust = settings.trust
        self._issuers = {issuer.issuer: issuer for issuer in settings.trust.issuers}
        self._files: dict[str, Keys] = {}
        self._keys = keys or KeyCache()
        self._replay = replay or replay_store(settings)
        if not self._open:
            # Now, and not in the first call; where anybody may call it is never needed, and takes 8 MB.
            from cds_hooks.trust import tokens  # noqa: F401 - loaded

            self._check_issuers()

    def caller(self, authorization: Sequence[str], audiences: Sequence[str]) -> Caller:
        """Returns the caller that the Authorization headers prove for one of the audiences.

        Raises CallError (401) for every other case, without saying why; the log has the reason.
        """
        return self.admitted(self.proven(authorization, audiences))

    def proven(self, authorization: Sequence[str], audiences: Sequence[str]) -> Proof:
        """Returns what the headers prove, or raises CallError (401); the token is not used up by it."""
        if self._open:
            return OPEN
        try:
            return self._verified(self._token(authorization), audiences)
        except (Refused, KeysUnavailable) as reason:
            log.warning("call refused: %s", reason)
            raise _login() from None

    def admitted(self, proof: Proof) -> Caller:
        """Returns the proven caller and notes that the token was used; raises CallError (401) if it was."""
        issuer, jti = proof.caller.issuer, proof.jti
        if issuer is None or jti is None:
            return proof.caller
        if not self._replay.first_use(issuer, jti, proof.expires):
            log.warning("call refused: %s: token was used before", issuer)
            raise _login()
        return proof.caller

    def missing(self) -> str | None:
        """Returns what is missing so that a token is accepted once by all workers, or None."""
        return self._replay.missing()

    def renewed(self, settings: Settings) -> Gate:
        """Returns the gate for other settings; a token that was used here is used there, too."""
        return Gate(settings, self._keys.again(), self._replay)

    def close(self) -> None:
        """Closes what it holds; it lets nobody in after that."""
        self._replay.close()

    def _check_issuers(self) -> None:
        if not self._issuers:
            raise SettingsError(
                "trust.issuers is empty: name the CDS clients that may call, "
                "or use --open on a loopback address"
            )
        if len(self._issuers) != len(self._trust.issuers):
            raise SettingsError("trust.issuers names one issuer twice")
        for issuer in self._issuers.values():
            if issuer.jwks_file is None and not issuer.jku:
                raise SettingsError(
                    f"trust.issuers: {issuer.issuer}: give jwks_file or jku, the source of its keys"
                )
            if issuer.issuer in ANYBODYS:
                log.warning(
                    "trust.issuers: %s: anybody can sign as this client: no real patients", issuer.issuer
                )
            for address in issuer.jku:
                check_address(address)
            if issuer.jwks_file is not None:
                self._files[issuer.issuer] = keys_of_file(issuer.jwks_file)

    def _token(self, authorization: Sequence[str]) -> _Token:
        if len(authorization) != 1:
            raise Refused(f"{len(authorization)} Authorization headers")
        scheme, _, text = authorization[0].strip().partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text or len(text) > MAX_TOKEN:
            raise Refused("no bearer token of acceptable length")
        from cds_hooks.trust.tokens import NotValid, unverified

        try:
            header, claims = unverified(text)
        except NotValid as reason:
            raise Refused(f"unreadable token ({reason})") from None
        name = claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise Refused("unknown issuer")
        return _Token(text=text, header=header, issuer=issuer)

    def _verified(self, token: _Token, audiences: Sequence[str]) -> Proof:
        issuer = token.issuer
        algorithm = _algorithm(token)
        claims = self._claims(token, algorithm, [*audiences, *issuer.audiences])
        self._check_lifetime(issuer, claims)
        jti = self._jti(issuer, claims)
        tenant = claims.get("tenant")
        if issuer.tenants and tenant not in issuer.tenants:
            _refuse(issuer, "unknown tenant")
        profile = PROFILES[issuer.profile]
        caller = Caller(
            issuer=issuer.issuer, profile=profile, tenant=tenant if isinstance(tenant, str) else None
        )
        expires = float(claims["exp"]) + self._trust.leeway
        return Proof(caller=caller, jti=jti if self._trust.replay_protection else None, expires=expires)

    def _claims(self, token: _Token, algorithm: str, audiences: Sequence[str]) -> Mapping[str, Any]:
        from cds_hooks.trust.tokens import NotValid, verified

        try:
            return verified(
                token.text,
                self._key(token),
                algorithm=algorithm,
                audiences=audiences,
                issuer=token.issuer.issuer,
                leeway=self._trust.leeway,
            )
        except NotValid as reason:
            _refuse(token.issuer, f"token not valid ({reason})")
        except (ValueError, TypeError, OverflowError) as error:
            _refuse(token.issuer, f"token not valid ({type(error).__name__})")

    def _key(self, token: _Token) -> Jwk:
        """The key of the issuer's own set: a set named by the token must be on the issuer's own list."""
        issuer, kid = token.issuer, token.header.get("kid")
        if not isinstance(kid, str) or not kid:
            _refuse(issuer, "no kid")
        jku = token.header.get("jku")
        if jku is not None and jku not in issuer.jku:
            _refuse(issuer, "jku not on the allow list")
        address = jku if jku is not None else next(iter(issuer.jku), None)
        key = self._files.get(issuer.issuer, {}).get(kid)
        if key is None and address is not None:
            key = self._keys.key(address, kid)
        if key is None:
            _refuse(issuer, "unknown kid")
        if key.get("alg", token.header["alg"]) != token.header["alg"] or key.get("use", "sig") != "sig":
            _refuse(issuer, "key is for another algorithm or use")
        return key

    def _check_lifetime(self, issuer: Issuer, claims: Mapping[str, Any]) -> None:
        times = (claims["exp"], claims["iat"])
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in times):
            _refuse(issuer, "exp and iat are no numbers")
        if claims["exp"] - claims["iat"] > self._trust.max_lifetime:
            _refuse(issuer, "token lives too long")

    def _jti(self, issuer: Issuer, claims: Mapping[str, Any]) -> str:
        jti = claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
            _refuse(issuer, "jti is no text of acceptable length")
        return jti


def _algorithm(token: _Token) -> str:
    algorithm, kind = token.header.get("alg"), token.header.get("typ")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        _refuse(token.issuer, "typ is not JWT")
    if algorithm not in token.issuer.algorithms:
        _refuse(token.issuer, "algorithm not on the allow list")
    return str(algorithm)


def _login() -> CallError:
    return CallError("The call is not authenticated.", status=401, code="login")


def _refuse(issuer: Issuer, reason: str) -> Never:
    raise Refused(f"{issuer.issuer}: {reason}")
