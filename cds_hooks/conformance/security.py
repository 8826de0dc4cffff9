"""Checks of trust: calls without a token, with forged ones, and with every kind of bad one.

A service that authenticates nobody cannot break these requirements one by one: for it there are two
warnings, and the rest is skipped. Once a key or a bearer token is given, the service is held to all of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import Answer, is_loopback
from cds_hooks.conformance.listener import constant, listening
from cds_hooks.conformance.subject import Service, Subject
from cds_hooks.conformance.tokens import Signer

HOUR = 3600
YEARS = 10 * 365 * 24 * HOUR
_REFUSALS = (401, 403)


@check("security.required", 176)
def required(subject: Subject) -> Iterator[Problem]:
    """A call without a token is refused with 401."""
    answer = _tokenless(subject)
    if answer.status == 403:
        yield Problem("a call without a token is refused with 403, not 401", answer)
    elif answer.status != 401:
        yield Problem(f"a call without a token: {answer.said}: anybody may call", answer)


@check("security.forged", 177, 180, 184, strength="SHOULD")
def forged(subject: Subject) -> Iterator[Problem]:
    """A token that a stranger made up is refused."""
    service = _service(subject)
    for what, token in {
        "a token signed with an unknown key": subject.stranger.token(subject.audience(service.path)),
        "a token without signature (alg none)": subject.stranger.unsigned(subject.audience(service.path)),
    }.items():
        answer = _call(subject, token)
        if answer.ok or answer.status == 412:
            yield Problem(f"{what} is accepted", answer)


@check("security.challenge", 176, strength="silent")
def challenge(subject: Subject) -> Iterator[Problem]:
    """A 401 carries WWW-Authenticate: Bearer."""
    answer = _tokenless(subject)
    if answer.status != 401:
        raise Skip(f"a call without a token is not answered with 401: {answer.said}")
    if not answer.headers.get("www-authenticate", "").lower().startswith("bearer"):
        yield Problem("there is no WWW-Authenticate: Bearer", answer)


@check("security.feedback", 171)
def feedback(subject: Subject) -> Iterator[Problem]:
    """Feedback without a token is refused like a call."""
    _authenticated(subject)
    answer = subject.send("POST", f"{_service(subject).path}/feedback", {"feedback": []}, token=None)
    if answer.status in (404, 405, 501):
        raise Skip("no feedback is taken")
    if answer.status not in _REFUSALS:
        yield Problem(f"feedback without a token: {answer.said}", answer)


@check("security.accepted", 179)
def accepted(subject: Subject) -> Iterator[Problem]:
    """A good token, signed with the key that was given, is accepted."""
    signer = _own(subject)
    answer = _call(subject, signer.token(_audience(subject)))
    if answer.status in _REFUSALS:
        yield Problem(f"a good {signer.algorithm} token is refused: {answer.said}", answer)


@check("security.alg-none", 177)
def alg_none(subject: Subject) -> Iterator[Problem]:
    """A token with alg none is refused."""
    signer = _signer(subject)
    token = signer.unsigned(_audience(subject))
    yield from _refused(subject, "alg none", token)
    head, _, rest = token.partition(".")
    payload = rest.partition(".")[0]
    good = signer.token(_audience(subject)).rpartition(".")[2]
    yield from _refused(subject, "alg none with a signature", f"{head}.{payload}.{good}")


@check("security.shared-secret", 178)
def shared_secret(subject: Subject) -> Iterator[Problem]:
    """A token signed with the public key as a shared secret is refused."""
    signer = _signer(subject)
    for algorithm in ("HS256", "HS384", "HS512"):
        for what, secret in {
            "PEM": signer.public_pem,
            "JWK": json.dumps(signer.public_jwk).encode(),
            "empty text": b"",
        }.items():
            token = signer.by_shared_secret(_audience(subject), algorithm, secret)
            yield from _refused(subject, f"{algorithm} with the public key ({what}) as secret", token)


@check("security.other-key", 180)
def other_key(subject: Subject) -> Iterator[Problem]:
    """A token that names a known key and is signed with another is refused."""
    token = _signer(subject).with_new_key().token(_audience(subject))
    yield from _refused(subject, "another key under the same kid", token)


@check("security.tampered", 180)
def tampered(subject: Subject) -> Iterator[Problem]:
    """A token whose claims were changed after signing is refused."""
    signer = _signer(subject)
    one, two = (signer.token(_audience(subject)).split(".") for _ in range(2))
    yield from _refused(subject, "claims of another token", ".".join((one[0], two[1], one[2])))


@check("security.unknown-kid", 180)
def unknown_kid(subject: Subject) -> Iterator[Problem]:
    """A token whose kid is missing or unknown is refused."""
    signer = _signer(subject)
    for what, kid in {"no kid": None, "an unknown kid": "conformance-no-such-key"}.items():
        yield from _refused(subject, what, signer.token(_audience(subject), {"kid": kid}))


@check("security.typ", 181)
def typ(subject: Subject) -> Iterator[Problem]:
    """A token whose typ is not JWT is refused."""
    token = _own(subject).token(_audience(subject), {"typ": "at+jwt"})
    yield from _refused(subject, "typ at+jwt", token)


@check("security.jku", 182)
def jku(subject: Subject) -> Iterator[Problem]:
    """A key set at an address that nobody allowed is neither believed nor fetched."""
    signer, known = subject.stranger, _signer(subject)
    keys = json.dumps({"keys": [signer.public_jwk]}).encode()
    with listening(constant(keys)) as listener:
        address = f"{listener.address}/jwks.json"
        token = signer.token(_audience(subject), {"jku": address}, iss=known.issuer, sub=None)
        yield from _refused(subject, "an unlisted jku", token)
        if listener.asked and is_loopback(subject.options.base):
            yield Problem("the service fetched a key set from an unlisted address")


@check("security.issuer", 184)
def issuer(subject: Subject) -> Iterator[Problem]:
    """A token of an issuer that is not known is refused."""
    for what, name in {"an unknown issuer": "https://nobody.example", "no issuer": None}.items():
        yield from _refused(subject, what, _own(subject).token(_audience(subject), iss=name))


@check("security.audience", 185)
def audience(subject: Subject) -> Iterator[Problem]:
    """A token for another address is refused."""
    signer, base = _own(subject), subject.options.audience or subject.options.base
    others: dict[str, Any] = {
        "another service's audience": _audience(subject) + "-other",
        "another host's audience": "https://elsewhere.example" + _service(subject).path,
        "discovery's audience": base + "/cds-services",
        "no audience": None,
    }
    for what, name in others.items():
        yield from _refused(subject, what, signer.token("", aud=name))


@check("security.expired", 186)
def expired(subject: Subject) -> Iterator[Problem]:
    """A token that has expired, or never does, is refused."""
    now, signer = int(time.time()), _own(subject)
    old = signer.token(_audience(subject), iat=now - 2 * HOUR, exp=now - HOUR)
    yield from _refused(subject, "a token that expired an hour ago", old)
    yield from _refused(subject, "no exp", signer.token(_audience(subject), exp=None))


@check("security.lifetime", 186, strength="silent")
def lifetime(subject: Subject) -> Iterator[Problem]:
    """A token that lives for years is refused."""
    token = _own(subject).token(_audience(subject), exp=int(time.time()) + YEARS)
    yield from _refused(subject, "a token for ten years", token)


@check("security.iat", 187)
def iat(subject: Subject) -> Iterator[Problem]:
    """A token that does not say when it was made is refused."""
    yield from _refused(subject, "no iat", _own(subject).token(_audience(subject), iat=None))


@check("security.clock", 187, strength="SHOULD")
def clock(subject: Subject) -> Iterator[Problem]:
    """A token made two seconds in the future is accepted: clocks differ, and clients round up."""
    now = int(time.time())
    answer = _call(subject, _own(subject).token(_audience(subject), iat=now + 2, exp=now + 300))
    if answer.status in _REFUSALS:
        yield Problem(f"a token two seconds ahead: {answer.said}", answer)


@check("security.jti", 188)
def jti(subject: Subject) -> Iterator[Problem]:
    """A token without jti is refused."""
    yield from _refused(subject, "no jti", _own(subject).token(_audience(subject), jti=None))


@check("security.replay", 188, strength="SHOULD")
def replay(subject: Subject) -> Iterator[Problem]:
    """A token is accepted once."""
    token = _own(subject).token(_audience(subject))
    first = _call(subject, token)
    if first.status in _REFUSALS:
        raise Skip("good tokens are not accepted")
    second = _call(subject, token)
    if second.status not in _REFUSALS:
        yield Problem(f"the same token a second time: {second.said}", second)


@check("security.garbage", 210)
def garbage(subject: Subject) -> Iterator[Problem]:
    """An Authorization header that is no token is refused, and breaks nothing."""
    _authenticated(subject)
    service, body = _service(subject), _body(subject)
    for text in ("null", "Bearer", "Bearer null", "Bearer a.b.c", "Basic dXNlcjpwYXNz", "Bearer e30.e30."):
        answer = subject.post(service, body, headers={"Authorization": text}, token=None)
        if answer.status not in _REFUSALS:
            yield Problem(f"Authorization: {text.split()[0]} …: {answer.said}", answer)


@check("security.scheme", 192)
def scheme(subject: Subject) -> Iterator[Problem]:
    """The scheme Bearer is read in any case."""
    token = _own(subject).token(_audience(subject))
    headers = {"Authorization": f"bearer {token}"}
    answer = subject.post(_service(subject), _body(subject), headers=headers, token=None)
    if answer.status in _REFUSALS:
        yield Problem(f"Authorization: bearer in small letters: {answer.said}", answer)


@check("security.reason", 190)
def reason(subject: Subject) -> Iterator[Problem]:
    """A refusal does not tell a forger what was wrong."""
    now, signer = int(time.time()), _own(subject)
    answers = [
        _call(subject, signer.token(_audience(subject), iat=now - 2 * HOUR, exp=now - HOUR)),
        _call(subject, signer.token("https://elsewhere.example")),
        _call(subject, signer.with_new_key().token(_audience(subject))),
    ]
    bodies = {answer.body for answer in answers if answer.status in _REFUSALS}
    if len(bodies) > 1:
        yield Problem("refusals of an expired, a misdirected and a forged token differ", answers[0])


def _service(subject: Subject) -> Service:
    if not subject.services:
        raise Skip("discovery lists no service that can be called")
    return subject.services[0]


def _audience(subject: Subject) -> str:
    return subject.audience(_service(subject).path)


def _body(subject: Subject) -> dict[str, Any]:
    return subject.body(_service(subject), subject.options.patients[0])


def _call(subject: Subject, token: str) -> Answer:
    return subject.post(_service(subject), _body(subject), token=token)


def _tokenless(subject: Subject) -> Answer:
    _service(subject)
    return subject.look(subject.tokenless)


def _authenticated(subject: Subject) -> None:
    """Raises Skip for a service that takes calls from anybody, unless it is said to know a client."""
    _service(subject)
    if not subject.tokens_wanted and not subject.authenticates:
        raise Skip("the service authenticates nobody (see security.required)")


def _signer(subject: Subject) -> Signer:
    """The client's signer, or a stranger's where none was given: a refusal is due in both cases."""
    _authenticated(subject)
    return subject.options.signer or subject.stranger


def _own(subject: Subject) -> Signer:
    """The signer that the service knows; raises Skip where none was given."""
    _authenticated(subject)
    if subject.options.signer is None:
        raise Skip("it needs a key that the service knows: give --jwk")
    return subject.options.signer


def _refused(subject: Subject, what: str, token: str) -> Iterator[Problem]:
    answer = _call(subject, token)
    if answer.ok or answer.status == 412:
        yield Problem(f"{what}: accepted ({answer.said})", answer)
    elif answer.status not in _REFUSALS:
        yield Problem(f"{what}: {answer.said}, not 401", answer, mild=True)
