"""Checks of trust: calls without a token, with forged ones, and with every kind of bad one.

A service that authenticates nobody cannot break these requirements one by one: for it there are two
warnings, and the rest is skipped. Once a key or a bearer token is given, the service is held to all of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from cds_hooks.conformance.callers import (
    REFUSALS,
    audience_of,
    authenticated,
    body_of,
    called,
    first_service,
    outcome_of,
    own_signer,
    refused,
    signer_of,
)
from cds_hooks.conformance.checks import Problem, Skip, check
from cds_hooks.conformance.exchange import is_loopback
from cds_hooks.conformance.listener import constant, listening
from cds_hooks.conformance.subject import Subject

HOUR = 3600
YEARS = 10 * 365 * 24 * HOUR


@check("security.required", 176)
def required(subject: Subject) -> Iterator[Problem]:
    """A call without a token is refused with 401, by every service."""
    first_service(subject)
    for service, answer in subject.tokenless:
        subject.look(answer)
        if answer.ok or answer.status == 412:
            yield Problem(f"{service.id} without a token: {answer.said}: anybody may call", answer)
        elif answer.status != 401:
            yield Problem(f"{service.id} without a token: {answer.said}, not 401", answer, mild=True)


@check("security.forged", 177, 180, 184, strength="SHOULD")
def forged(subject: Subject) -> Iterator[Problem]:
    """A token that a stranger made up is refused, by every service."""
    first_service(subject)
    for service in subject.services:
        audience = subject.audience(service.path)
        for what, token in {
            "a token signed with an unknown key": subject.stranger.token(audience),
            "a token without signature (alg none)": subject.stranger.unsigned(audience),
        }.items():
            answer = called(subject, token, service)
            if answer.ok or answer.status == 412:
                yield Problem(f"{service.id}: {what} is accepted", answer)


@check("security.challenge", 176, strength="silent")
def challenge(subject: Subject) -> Iterator[Problem]:
    """A 401 carries WWW-Authenticate: Bearer."""
    first_service(subject)
    answer = subject.look(subject.tokenless[0][1])
    if answer.status != 401:
        raise Skip(f"a call without a token is not answered with 401: {answer.said}")
    if not answer.headers.get("www-authenticate", "").lower().startswith("bearer"):
        yield Problem("there is no WWW-Authenticate: Bearer", answer)


@check("security.feedback", 171)
def feedback(subject: Subject) -> Iterator[Problem]:
    """Feedback without a token, or with a forged one, is refused like a call, by every service."""
    signer, taken = signer_of(subject), False
    for service in subject.services:
        path = f"{service.path}/feedback"
        for what, token in {
            "without a token": None,
            "with alg none": signer.unsigned(subject.audience(path)),
            "with another key under the same kid": signer.with_new_key().token(subject.audience(path)),
        }.items():
            answer = subject.send("POST", path, {"feedback": [outcome_of(subject, service)]}, token=token)
            if answer.status in (404, 405, 501):
                break
            taken = True
            if answer.status not in REFUSALS:
                text = f"{service.id}: feedback {what}: {answer.said}"
                yield Problem(text, answer, mild=not answer.ok)
    if not taken:
        raise Skip("no feedback is taken")


@check("security.accepted", 179)
def accepted(subject: Subject) -> Iterator[Problem]:
    """A good token, signed with the key that was given, is accepted."""
    signer = own_signer(subject)
    answer = called(subject, signer.token(audience_of(subject)))
    if answer.status in REFUSALS:
        yield Problem(f"a good {signer.algorithm} token is refused: {answer.said}", answer)


@check("security.alg-none", 177)
def alg_none(subject: Subject) -> Iterator[Problem]:
    """A token with alg none is refused, by every service."""
    signer = signer_of(subject)
    for service in subject.services:
        token = signer.unsigned(subject.audience(service.path))
        yield from refused(subject, "alg none", token, service)
    token = signer.unsigned(audience_of(subject))
    head, _, rest = token.partition(".")
    payload = rest.partition(".")[0]
    good = signer.token(audience_of(subject)).rpartition(".")[2]
    yield from refused(subject, "alg none with a signature", f"{head}.{payload}.{good}")


@check("security.shared-secret", 178)
def shared_secret(subject: Subject) -> Iterator[Problem]:
    """A token signed with the public key as a shared secret is refused."""
    signer = signer_of(subject)
    for algorithm in ("HS256", "HS384", "HS512"):
        for what, secret in {
            "PEM": signer.public_pem,
            "JWK": json.dumps(signer.public_jwk).encode(),
            "empty text": b"",
        }.items():
            token = signer.by_shared_secret(audience_of(subject), algorithm, secret)
            yield from refused(subject, f"{algorithm} with the public key ({what}) as secret", token)


@check("security.other-key", 180)
def other_key(subject: Subject) -> Iterator[Problem]:
    """A token that names a known key and is signed with another is refused, by every service."""
    other = signer_of(subject).with_new_key()
    for service in subject.services:
        token = other.token(subject.audience(service.path))
        yield from refused(subject, "another key under the same kid", token, service)


@check("security.tampered", 180)
def tampered(subject: Subject) -> Iterator[Problem]:
    """A token whose claims were changed after signing is refused."""
    signer = signer_of(subject)
    one, two = (signer.token(audience_of(subject)).split(".") for _ in range(2))
    yield from refused(subject, "claims of another token", ".".join((one[0], two[1], one[2])))


@check("security.unknown-kid", 180)
def unknown_kid(subject: Subject) -> Iterator[Problem]:
    """A token whose kid is missing or unknown is refused."""
    signer = signer_of(subject)
    for what, kid in {"no kid": None, "an unknown kid": "conformance-no-such-key"}.items():
        yield from refused(subject, what, signer.token(audience_of(subject), {"kid": kid}))


@check("security.typ", 181)
def typ(subject: Subject) -> Iterator[Problem]:
    """A token whose typ is not JWT is refused."""
    token = own_signer(subject).token(audience_of(subject), {"typ": "at+jwt"})
    yield from refused(subject, "typ at+jwt", token)


@check("security.jku", 182)
def jku(subject: Subject) -> Iterator[Problem]:
    """A key set at an address that nobody allowed is neither believed nor fetched."""
    signer, known = subject.stranger, signer_of(subject)
    keys = json.dumps({"keys": [signer.public_jwk]}).encode()
    with listening(constant(keys)) as listener:
        address = f"{listener.address}/jwks.json"
        token = signer.token(audience_of(subject), {"jku": address}, iss=known.issuer, sub=None)
        yield from refused(subject, "an unlisted jku", token)
        if listener.asked and is_loopback(subject.options.base):
            yield Problem("the service fetched a key set from an unlisted address")


@check("security.issuer", 184)
def issuer(subject: Subject) -> Iterator[Problem]:
    """A token of an issuer that is not known is refused."""
    for what, name in {"an unknown issuer": "https://nobody.example", "no issuer": None}.items():
        yield from refused(subject, what, own_signer(subject).token(audience_of(subject), iss=name))


@check("security.audience", 185)
def audience(subject: Subject) -> Iterator[Problem]:
    """A token for another address is refused."""
    signer, base = own_signer(subject), subject.options.audience or subject.options.base
    others: dict[str, Any] = {
        "another service's audience": audience_of(subject) + "-other",
        "another host's audience": "https://elsewhere.example" + first_service(subject).path,
        "discovery's audience": base + "/cds-services",
        "no audience": None,
    }
    for what, name in others.items():
        yield from refused(subject, what, signer.token("", aud=name))
    for service in subject.services[1:]:
        token = signer.token("https://elsewhere.example" + service.path)
        yield from refused(subject, "another host's audience", token, service)


@check("security.expired", 186)
def expired(subject: Subject) -> Iterator[Problem]:
    """A token that has expired, or never does, is refused."""
    now, signer = int(time.time()), own_signer(subject)
    for service in subject.services:
        old = signer.token(subject.audience(service.path), iat=now - 2 * HOUR, exp=now - HOUR)
        yield from refused(subject, "a token that expired an hour ago", old, service)
    yield from refused(subject, "no exp", signer.token(audience_of(subject), exp=None))


@check("security.lifetime", 186, strength="silent")
def lifetime(subject: Subject) -> Iterator[Problem]:
    """A token that lives for years is refused."""
    token = own_signer(subject).token(audience_of(subject), exp=int(time.time()) + YEARS)
    yield from refused(subject, "a token for ten years", token)


@check("security.iat", 187)
def iat(subject: Subject) -> Iterator[Problem]:
    """A token that does not say when it was made is refused."""
    yield from refused(subject, "no iat", own_signer(subject).token(audience_of(subject), iat=None))


@check("security.clock", 187, strength="SHOULD")
def clock(subject: Subject) -> Iterator[Problem]:
    """A token made two seconds in the future is accepted: clocks differ, and clients round up."""
    now = int(time.time())
    answer = called(subject, own_signer(subject).token(audience_of(subject), iat=now + 2, exp=now + 300))
    if answer.status in REFUSALS:
        yield Problem(f"a token two seconds ahead: {answer.said}", answer)


@check("security.jti", 188)
def jti(subject: Subject) -> Iterator[Problem]:
    """A token without jti is refused."""
    yield from refused(subject, "no jti", own_signer(subject).token(audience_of(subject), jti=None))


@check("security.replay", 188, strength="SHOULD")
def replay(subject: Subject) -> Iterator[Problem]:
    """A token is accepted once."""
    token = own_signer(subject).token(audience_of(subject))
    first = called(subject, token)
    if first.status in REFUSALS:
        raise Skip("good tokens are not accepted")
    second = called(subject, token)
    if second.status not in REFUSALS:
        yield Problem(f"the same token a second time: {second.said}", second)


@check("security.garbage", 210)
def garbage(subject: Subject) -> Iterator[Problem]:
    """An Authorization header that is no token is refused, and breaks nothing."""
    authenticated(subject)
    service, body = first_service(subject), body_of(subject)
    for text in ("null", "Bearer", "Bearer null", "Bearer a.b.c", "Basic dXNlcjpwYXNz", "Bearer e30.e30."):
        answer = subject.post(service, body, headers={"Authorization": text}, token=None)
        if answer.status not in REFUSALS:
            yield Problem(f"Authorization: {text.split()[0]} …: {answer.said}", answer)


@check("security.scheme", 192)
def scheme(subject: Subject) -> Iterator[Problem]:
    """The scheme Bearer is read in any case."""
    token = own_signer(subject).token(audience_of(subject))
    headers = {"Authorization": f"bearer {token}"}
    answer = subject.post(first_service(subject), body_of(subject), headers=headers, token=None)
    if answer.status in REFUSALS:
        yield Problem(f"Authorization: bearer in small letters: {answer.said}", answer)


@check("security.reason", 190)
def reason(subject: Subject) -> Iterator[Problem]:
    """A refusal does not tell a forger what was wrong."""
    now, signer = int(time.time()), own_signer(subject)
    answers = [
        called(subject, signer.token(audience_of(subject), iat=now - 2 * HOUR, exp=now - HOUR)),
        called(subject, signer.token("https://elsewhere.example")),
        called(subject, signer.with_new_key().token(audience_of(subject))),
    ]
    bodies = {answer.body for answer in answers if answer.status in REFUSALS}
    if len(bodies) > 1:
        yield Problem("refusals of an expired, a misdirected and a forged token differ", answers[0])
