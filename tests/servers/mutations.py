"""What the mutant can break, one requirement at a time; each mutation names the check that has to find it.

Where a fault cannot but show in other checks, too, `also` names them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt
import requests

from cds_hooks.conformance.calls import MEGABYTES
from cds_hooks.conformance.cors import ELSEWHERE
from cds_hooks.conformance.errors import MARK
from tests.cds_hooks.serving import DRAFT, ORIGIN
from tests.servers.mutant import FIRST, Change, Exchange, Mutation

SECOND = "/cds-services/crlm-order-select"
COPY = "/cds-services/copy"
HOUR = 3600
WITH_A_CARD = (
    *("every-service", "accepted", "overridden", "times", "twice", "several"),
    *("outcome", "suggestions-needed", "time-needed"),
)
MISSING = object()
NO_CARDS: dict[str, Any] = {"cards": []}
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}
PATIENT = "Patient/{{context.patientId}}"
OF_PATIENT = "Observation?patient={{context.patientId}}"
EPIC, ORACLE, SANDBOX = ({"client": name} for name in ("epic", "oracle", "sandbox"))
BROWSER = {"origin": ORIGIN}
LINK = {"label": "A page", "url": "https://cds.example/page", "type": "absolute"}
SMART = {"label": "An app", "url": "https://cds.example/app", "type": "smart"}
UPDATE = {"type": "update", "description": "Change it"}
DELETE = {"type": "delete", "description": "Drop it", "resourceId": "x", "resource": MISSING}
BAD_DRAFT = {**DRAFT, "intent": 5, "subject": {"display": "the patient"}}
OTHER_DRAFT = {**DRAFT, "subject": {"reference": "Patient/somebody-else"}}
Where = Callable[[Exchange], Any]
Members = dict[str, Any]

# How a mutation is written ----------------------------------------------------------------------------------


def m(check: str, name: str = "", **how: Any) -> Mutation:
    return Mutation(check=check, name=name, **how)


def is_discovery(exchange: Exchange) -> bool:
    return exchange.is_discovery and exchange.method == "GET"


def is_preflight(exchange: Exchange) -> bool:
    return exchange.method == "OPTIONS"


def replaced(condition: Where, status: int, document: Any = None) -> Change:
    """Answers in place of the service where a condition holds."""

    def changed(exchange: Exchange) -> None:
        if condition(exchange):
            exchange.answer(status, document)

    return changed


def calls(condition: Where, status: int, document: Any = ERROR) -> Change:
    return replaced(lambda e: e.is_call and condition(e), status, document)


def feedback(condition: Where, status: int) -> Change:
    return replaced(lambda e: e.is_feedback and e.method == "POST" and condition(e), status, ERROR)


def changes(condition: Where, change: Change) -> Change:
    """Changes a call before the service sees it."""

    def changed(exchange: Exchange) -> None:
        if exchange.is_call and condition(exchange):
            change(exchange)

    return changed


def sets(**members: Any) -> Change:
    return lambda e: e.change(**members)


def header(name: str, text: str | None, condition: Where) -> Change:
    """Sets a header of an answer, or takes it away."""

    def changed(exchange: Exchange) -> None:
        if condition(exchange):
            exchange.out = {key: held for key, held in exchange.out.items() if key != name}
            if text is not None:
                exchange.out[name] = text

    return changed


def fetches(address: Callable[[Exchange], Any]) -> Change:
    """Asks an address that came with the call."""

    def changed(exchange: Exchange) -> None:
        found = address(exchange) if exchange.is_call else None
        if isinstance(found, str):
            requests.get(found, timeout=60)

    return changed


# Discovery


def entries(change: Callable[[list[Any]], list[Any]]) -> Change:
    """Changes the list of services."""

    def changed(exchange: Exchange) -> None:
        if is_discovery(exchange) and exchange.status == 200:
            exchange.document = {"services": change(exchange.document["services"])}

    return changed


def entry(place: int = -1, **members: Any) -> Change:
    """Sets members of one service, or takes them away."""

    def changed(found: list[Any]) -> list[Any]:
        found[place] = merged(found[place], members)
        return found

    return entries(changed)


def template(text: Any, key: str = "x", place: int = 0) -> Change:
    """Publishes one more template."""

    def changed(found: list[Any]) -> list[Any]:
        found[place]["prefetch"][key] = text
        return found

    return entries(changed)


def copy(check: str, **members: Any) -> Mutation:
    """One more entry in discovery, answered by the first service."""

    def before(exchange: Exchange) -> None:
        own, hook = members.get("id"), members.get("hook", "patient-view")
        right = good(exchange)
        if exchange.is_call and exchange.path == (COPY if own else FIRST):
            if own or exchange.asked.get("hook") == hook:
                exchange.path = FIRST
                exchange.change(hook="patient-view")
                if right:
                    exchange.believe()
        elif exchange.path == f"{COPY}/feedback":
            exchange.path = f"{FIRST}/feedback"
            if right:
                exchange.believe()

    after = entries(lambda found: [*found, {**found[0], **members}])
    return Mutation(check=check, before=before, after=after)


# Answers


def merged(held: Members, members: Members) -> Members:
    made = {**held, **members}
    return {name: value for name, value in made.items() if value is not MISSING}


def answer(change: Callable[[Members, Exchange], None]) -> Change:
    """Changes the answer to a call that succeeded."""

    def changed(exchange: Exchange) -> None:
        if exchange.is_call and exchange.status == 200:
            document = exchange.document
            change(document, exchange)
            exchange.document = document

    return changed


def each_card(change: Callable[[Members], Members]) -> Change:
    def changed(document: Members, _: Exchange) -> None:
        document["cards"] = [change(held) for held in document["cards"]]

    return answer(changed)


def card(**members: Any) -> Change:
    """Sets members of every card, or takes them away."""
    return each_card(lambda held: merged(held, members))


def source(**members: Any) -> Change:
    return each_card(lambda held: {**held, "source": merged(held["source"], members)})


def suggestion(**members: Any) -> Change:
    return each_card(
        lambda held: {**held, "suggestions": [merged(one, members) for one in held["suggestions"]]}
    )


def action(**members: Any) -> Change:
    def changed(held: Members) -> Members:
        made = [
            {**one, "actions": [merged(each, members) for each in one["actions"]]}
            for one in held["suggestions"]
        ]
        return {**held, "suggestions": made}

    return each_card(changed)


def link(base: Members, **members: Any) -> Change:
    return card(links=[merged(base, members)])


def reason(**members: Any) -> Change:
    return each_card(
        lambda held: {**held, "overrideReasons": [merged(one, members) for one in held["overrideReasons"]]}
    )


def twice(name: str) -> Change:
    return each_card(lambda held: {**held, name: held[name] * 2})


def alone(held: Members) -> Members:
    """A card without what has a uuid of its own."""
    return merged(held, {"suggestions": MISSING, "selectionBehavior": MISSING})


def late_card(document: Members, _: Exchange) -> None:
    first = document["cards"][0]
    document["cards"].insert(0, {**alone(first), "indicator": "info", "uuid": first["uuid"][::-1]})


def twin_card(document: Members, _: Exchange) -> None:
    document["cards"].append(alone(document["cards"][0]))


def two_recommended(held: Members) -> Members:
    first = held["suggestions"][0]
    second = {**first, "uuid": first["uuid"][::-1]}
    return {**held, "selectionBehavior": "at-most-one", "suggestions": [first, second]}


def two_actions(held: Members) -> Members:
    return {**held, "suggestions": [{**one, "actions": one["actions"] * 2} for one in held["suggestions"]]}


def link_of_patient(document: Members, exchange: Exchange) -> None:
    for held in document["cards"]:
        held["links"] = [{**LINK, "url": f"https://cds.example/{exchange.patient}"}]


def counted(document: Members, exchange: Exchange) -> None:
    for held in document["cards"]:
        held["summary"] += f", answer {exchange.mutant.times('answers')}"


def echoed(document: Members, exchange: Exchange) -> None:
    authorization = exchange.asked.get("fhirAuthorization")
    if isinstance(authorization, dict):
        document["extension"] = {"org.example.token": authorization["access_token"]}


def broken(exchange: Exchange) -> None:
    if exchange.is_call and exchange.status == 200 and second(exchange):
        exchange.said = exchange.said[:-1] + b",}"


def mixed_up(exchange: Exchange) -> None:
    """From the third time on that the same body comes, the answer is the one to another body."""
    if not exchange.is_call or exchange.status != 200:
        return
    others = exchange.mutant.answers
    others.setdefault((exchange.path, exchange.patient), exchange.said)
    if exchange.mutant.times(exchange.body) > 2:
        for (path, patient), said in others.items():
            if path == exchange.path and patient != exchange.patient:
                exchange.said = said


def marked(exchange: Exchange) -> None:
    if exchange.status >= 400 and (MARK in exchange.path or MARK.encode() in exchange.body):
        exchange.document = {**exchange.document, "id": MARK}


# Calls


def to(hook: str) -> Where:
    return lambda e: e.is_call and e.asked.get("hook") == hook


def second(exchange: Exchange) -> bool:
    return exchange.patient == "vestige-2-patient"


def prefetch(condition: Callable[[Any], bool]) -> Where:
    """Every value of prefetch meets the condition."""
    return lambda e: bool(e.prefetch) and all(condition(held) for held in e.prefetch.values())


def is_outcome(held: Any) -> bool:
    return isinstance(held, dict) and held.get("resourceType") == "OperationOutcome"


def is_empty(held: Any) -> bool:
    return held is None or (isinstance(held, dict) and held.get("total") == 0)


def without_data(exchange: Exchange) -> bool:
    return "prefetch" not in exchange.asked and "fhirServer" not in exchange.asked and bool(exchange.patient)


def next_page(exchange: Exchange) -> Any:
    for held in exchange.prefetch.values():
        for one in held.get("link", []) if isinstance(held, dict) else []:
            if one["relation"] == "next":
                return one["url"]
    return None


def of_prefetched(exchange: Exchange) -> None:
    """Answers for the patient whose data came, whoever the call is for."""
    exchange.change(context={**exchange.asked["context"], "patientId": exchange.prefetch["patient"]["id"]})


def slow(exchange: Exchange) -> None:
    if second(exchange) and exchange.mutant.times("second") == 1:
        time.sleep(6)


def json_after_all(exchange: Exchange) -> None:
    exchange.headers["content-type"] = "application/json"


def unreadable(exchange: Exchange) -> bool:
    return not exchange.asked and b"[[[" not in exchange.body and b"NaN" not in exchange.body


# Tokens


def believes(condition: Where, *, path: str = FIRST) -> Change:
    """Takes a token for a good one where a condition holds."""

    def changed(exchange: Exchange) -> None:
        if exchange.path == path and exchange.method == "POST" and condition(exchange):
            exchange.believe()

    return changed


def known(exchange: Exchange) -> bool:
    """The token names the known key."""
    return bool(exchange.head.get("kid") == exchange.mutant.client.kid)


def tokenless(exchange: Exchange) -> bool:
    return "authorization" not in exchange.headers


def unsigned(exchange: Exchange) -> bool:
    return known(exchange) and exchange.head.get("alg") == "none"


def strange(exchange: Exchange) -> bool:
    """A stranger signed the token, and names no key set."""
    return "stranger" in str(exchange.head.get("kid")) and "jku" not in exchange.head


def remembered(exchange: Exchange) -> None:
    """Notes the cards and suggestions that were shown."""
    for held in exchange.document.get("cards", []) if exchange.is_call and exchange.status == 200 else []:
        for own in (held["uuid"], *(one["uuid"] for one in held.get("suggestions", []))):
            exchange.mutant.times(own)


def never_shown(exchange: Exchange) -> bool:
    """Feedback with a good token on a card or suggestion that was never shown."""
    named = [one.get("card") for one in exchange.items]
    named += [held["id"] for one in exchange.items for held in one.get("acceptedSuggestions", [])]
    return good(exchange) and any(one not in exchange.mutant.seen for one in named)


STRICT = Mutation(check="", before=feedback(never_shown, 404), after=remembered)


def again(exchange: Exchange) -> bool:
    """The same feedback came just before."""
    held, before = exchange.mutant.answers, ("feedback", "before")
    same = held.get(before) == exchange.body
    held[before] = exchange.body
    return same


def good(exchange: Exchange) -> bool:
    """The token is a good one for the address that was called."""
    client = exchange.mutant.client
    address = exchange.mutant.base + exchange.path
    try:
        jwt.decode(exchange.token, client.key.public_key(), algorithms=[client.algorithm], audience=address)
    except jwt.PyJWTError:
        return False
    return True


def claim(name: str, condition: Callable[[Any], Any]) -> Where:
    """The token names the known key, and its claim meets a condition."""
    return lambda e: known(e) and condition(e.claims.get(name))


def ordinary(exchange: Exchange) -> bool:
    """Header and claims are those of a good token, whoever signed it."""
    now, claims, head = time.time(), exchange.claims, exchange.head
    right = claims.get("aud") == exchange.mutant.base + exchange.path and "jti" in claims
    named = claims.get("iss") == exchange.mutant.client.issuer and head.get("typ") == "JWT"
    lives = claims.get("iat", 1e12) <= now < claims.get("exp", 0) < now + HOUR
    return right and named and lives and head.get("alg") == "ES384" and known(exchange)


def new(exchange: Exchange) -> bool:
    return exchange.mutant.times(exchange.token) == 1


def explains(exchange: Exchange) -> None:
    if exchange.status == 401 and exchange.claims.get("exp", 1e12) < time.time():
        exchange.document = {**exchange.document, "id": "expired"}


def no_signature(check: str, also: str) -> Mutation:
    """Nobody looks at the signature: what was forged and what was changed afterwards look the same."""

    def before(exchange: Exchange) -> None:
        if exchange.path == FIRST and exchange.is_call and ordinary(exchange):
            if new(exchange):
                exchange.believe()
            else:
                exchange.headers["authorization"] = "Bearer used.before."

    return Mutation(check=check, name="signature not looked at", before=before, also=(also,))


# What is broken ---------------------------------------------------------------------------------------------

DISCOVERY = [
    m("discovery.answers", after=replaced(is_discovery, 500, ERROR)),
    m("discovery.services", after=replaced(is_discovery, 200, {"services": {"a": 1}})),
    m("discovery.services", "no object", after=replaced(is_discovery, 200, ["x"])),
    m("discovery.services", "entry of text", after=entries(lambda found: [*found, "x"])),
    m("discovery.hook", after=entry(hook=MISSING)),
    m("discovery.description", after=entry(description=MISSING)),
    m("discovery.id", after=entry(id=MISSING)),
    m("discovery.title", after=entry(title=MISSING)),
    m("discovery.prefetch", after=template(5)),
    m("discovery.prefetch", "list", after=entry(prefetch=["x"]), also=("calls.prefetch-alone",)),
    m("discovery.usage", after=entry(usageRequirements=7)),
    m("discovery.extension", after=entry(extension="x")),
    m("discovery.pairs", after=entries(lambda found: [*found, found[0]])),
    copy("discovery.shared-id", hook="org.example.other"),
    copy("discovery.hook-name", id="copy", hook="imaging-review"),
    m("discovery.accept", before=replaced(lambda e: "+fhir" in e.headers.get("accept", ""), 406)),
    m("discovery.slash", before=replaced(lambda e: e.path == "/cds-services/", 404, ERROR)),
    m("discovery.methods", before=replaced(lambda e: e.method == "PUT", 200, ERROR)),
]
TEMPLATES = [
    m("templates.key", after=template(PATIENT, key="1 x")),
    m("templates.braces", after=template("Patient/{{context.patientId}")),
    m("templates.token", after=template("Patient/{{patientId}}")),
    m("templates.token", "unknown field", after=template("Patient/{{context.someId}}")),
    m("templates.root", after=template("Patient/{{context.some.id}}")),
    m("templates.field", after=template("ServiceRequest?_id={{context.draftOrders}}", place=1)),
    m("templates.query", after=template("/" + PATIENT)),
    m("templates.query", "operation", after=template(PATIENT + "/$everything")),
    m("templates.modifier", after=template(OF_PATIENT + "&code:text=x")),
    m("templates.dates", after=template(OF_PATIENT + "&date=sa2020-01-01")),
    m("templates.results", after=template(OF_PATIENT + "&_include=Observation:subject")),
    m("templates.results", "chain", after=template(OF_PATIENT + "&subject.name=x")),
    m("templates.repeated", after=template(OF_PATIENT + "&date=ge2020-01-01&date=le2021-01-01")),
    m("templates.optional-field", after=template("Encounter/{{context.encounterId}}")),
    m("templates.type", after=template("Observatory?patient={{context.patientId}}")),
    m("templates.client", after=template("Patient/{{userPatientId}}"), options=EPIC),
]
CALLS = [
    m(
        "calls.answers",
        before=calls(lambda e: to("order-sign")(e) and "order-sign" in e.path and good(e), 500),
    ),
    m("calls.prefetch-alone", after=calls(lambda e: e.status == 200 and second(e), 412)),
    m("calls.cards", after=calls(lambda e: e.status == 200 and second(e), 200, {"cards": {"a": 1}})),
    m("calls.cards", "text", after=calls(lambda e: e.status == 200 and second(e), 200, {"cards": ["x"]})),
    copy("calls.own-answer", id="copy"),
    m("calls.unknown-members", before=calls(lambda e: "redirect" in e.asked, 400)),
    m("calls.extension", before=calls(lambda e: b"org.example.x" in e.body, 400)),
    m("calls.repeated", after=answer(counted)),
    m("calls.utf8", before=calls(lambda e: "肝".encode() in e.body, 400)),
    m("calls.utf8", "byte order mark", before=calls(lambda e: e.body.startswith(b"\xef\xbb\xbf"), 400)),
    m("calls.charset", before=calls(lambda e: "charset" in e.headers["content-type"], 415)),
    m("calls.large", before=calls(lambda e: len(e.body) > MEGABYTES, 413)),
    m("calls.slow", before=slow, options={"slow": 5.0}),
    m("calls.at-once", after=mixed_up),
    m("calls.null", before=calls(prefetch(lambda held: held is None), 400)),
    m("calls.empty-bundle", before=calls(lambda e: prefetch(is_empty)(e) and any(e.prefetch.values()), 400)),
    m("calls.extra-key", before=calls(lambda e: "conformanceExtra" in e.prefetch, 400)),
    m("calls.outcome-entry", before=calls(lambda e: b'"mode": "outcome"' in e.body, 500)),
    m("calls.collection", before=calls(lambda e: "'type': 'collection'" in str(e.prefetch), 400)),
    m("calls.missing", before=calls(without_data, 200, NO_CARDS)),
    m("calls.outcome", before=calls(prefetch(is_outcome), 200, NO_CARDS)),
    m("calls.damaged", before=calls(prefetch(lambda held: held == "damaged"), 200, NO_CARDS)),
    m("calls.other-patient", before=changes(lambda e: "other-patient" in e.patient, of_prefetched)),
    m("calls.token-echo", after=answer(echoed)),
    m("calls.unlisted-server", before=fetches(lambda e: e.asked.get("fhirServer"))),
    m("calls.foreign-page", before=fetches(next_page)),
]
FHIR = [
    m("fhir.alone", fault="prefetch only"),
    m("fhir.same", fault="counts twice"),
    m("fhir.bearer", fault="no token"),
    m("fhir.only-missing", fault="asks for all"),
    m("fhir.failing", fault="crashes"),
    m(
        "fhir.failing",
        "silent",
        after=calls(lambda e: e.status == 412 and "fhirServer" in e.asked, 200, NO_CARDS),
    ),
    m("fhir.token-type", fault="any type"),
    m("fhir.expired", fault="any time"),
]
TRANSPORT = [
    m("transport.json", after=broken),
    m("transport.content-type", after=header("content-type", "text/html", lambda e: e.is_call and second(e))),
    m("transport.null", after=card(links=None)),
    m("transport.empty", after=card(links=[])),
    m("transport.empty", "text", after=entry(usageRequirements="")),
]
CARDS = [
    m("cards.summary", after=card(summary=5)),
    m("cards.summary", "missing", after=card(summary=MISSING)),
    m("cards.summary-length", after=card(summary="x" * 140)),
    m("cards.summary-line", after=card(summary="A **bold** word")),
    m("cards.detail", after=card(detail=5)),
    m("cards.detail-html", after=card(detail="A <b>bold</b> word")),
    m("cards.indicator", after=card(indicator="hard-stop")),
    m("cards.order", after=answer(late_card)),
    m("cards.uuid", after=card(uuid=5)),
    m("cards.uuid", "twice", after=answer(twin_card)),
    m("cards.source", after=card(source="Vestige")),
    m("cards.source-label", after=source(label=5)),
    m("cards.source-url", after=source(url="/page")),
    m("cards.icon", after=source(icon="icon.png")),
    m("cards.topic", after=source(topic={"code": "x"})),
    m("cards.topic", "missing", after=source(topic=MISSING)),
    m("cards.selection-behavior", after=card(selectionBehavior=MISSING)),
    m("cards.selection-behavior", "unknown", after=card(selectionBehavior="all")),
    m("cards.selection-alone", after=card(suggestions=MISSING)),
    m("cards.recommended", after=each_card(two_recommended)),
    m("cards.lists", after=card(links="x")),
    m("cards.override-reasons", after=reason(display=MISSING)),
    m("cards.reasons-unique", after=twice("overrideReasons")),
    m("cards.extension", after=card(extension="x")),
    m("cards.extension-names", after=card(extension={"plain": 1})),
    m("cards.client", after=card(selectionBehavior="at-most-one"), options=EPIC),
    m("cards.client", "topic", after=source(topic={"system": "urn:x", "code": "F1-DA10"}), options=EPIC),
    m("cards.client", "uuid", after=card(uuid=MISSING), options=SANDBOX),
]
SUGGESTIONS = [
    m("suggestions.label", after=suggestion(label=MISSING)),
    m("suggestions.uuid", after=suggestion(uuid=5)),
    m("suggestions.uuid", "twice", after=twice("suggestions")),
    m("suggestions.recommended", after=suggestion(isRecommended="yes")),
    m("suggestions.actions", after=suggestion(actions="x")),
    m("suggestions.system-actions", after=answer(lambda said, _: said.update(systemActions={"a": 1}))),
    m("suggestions.type", after=action(type="replace")),
    m("suggestions.description", after=action(description=MISSING)),
    m("suggestions.create", after=action(resource=MISSING)),
    m("suggestions.update", after=action(**UPDATE)),
    m("suggestions.delete", after=action(**DELETE)),
    m("suggestions.subject", after=action(resource=OTHER_DRAFT)),
    m("suggestions.client", after=each_card(two_actions), options=EPIC),
]
LINKS = [
    m("links.label", after=link(LINK, label=MISSING)),
    m("links.url", after=link(LINK, url="/page")),
    m("links.type", after=link(LINK, type="web")),
    m("links.app-context", after=link(SMART, appContext=5)),
    m("links.app-context-smart", after=link(LINK, appContext="x")),
    m("links.autolaunchable", after=link(LINK, autolaunchable="yes")),
    m("links.autolaunchable", "spelling", after=link(LINK, autoLaunchable=True)),
    m("links.patient", after=answer(link_of_patient)),
    m("links.client", after=link(SMART, appContext="x"), options=ORACLE),
]
FEEDBACK = [
    m("feedback.offered", before=feedback(lambda e: True, 404)),
    m("feedback.every-service", before=feedback(lambda e: not e.path.startswith(FIRST), 404)),
    m("feedback.accepted", before=feedback(lambda e: "acceptedSuggestions" in e.item, 400)),
    m("feedback.overridden", before=feedback(lambda e: "overrideReason" in e.item, 400)),
    m("feedback.unknown-card", before=feedback(lambda e: "no-such-card" in str(e.item.get("card")), 500)),
    m("feedback.times", before=feedback(lambda e: "+02:00" in str(e.item.get("outcomeTimestamp")), 400)),
    m(
        "feedback.offered",
        "crash on every card that was shown",
        before=feedback(lambda e: good(e) and e.item.get("card") in e.mutant.seen, 500),
        after=remembered,
        also=tuple(f"feedback.{name}" for name in WITH_A_CARD),
    ),
    m("feedback.twice", before=feedback(again, 409)),
    m("feedback.several", before=feedback(lambda e: len(e.items) > 1, 400)),
    m("feedback.no-list", before=feedback(lambda e: "items" in e.asked, 200)),
    m("feedback.card-needed", before=feedback(lambda e: e.item and "card" not in e.item, 200)),
    m("feedback.outcome", before=feedback(lambda e: e.item.get("outcome") == "ignored", 200)),
    m(
        "feedback.suggestions-needed",
        before=feedback(
            lambda e: e.item.get("outcome") == "accepted" and "acceptedSuggestions" not in e.item, 200
        ),
    ),
    m("feedback.time-needed", before=feedback(lambda e: e.item and "outcomeTimestamp" not in e.item, 200)),
    m("feedback.client", before=feedback(lambda e: "overrideReasons" in e.item, 400), options=EPIC),
]
SECURITY = [
    m("security.required", before=believes(tokenless)),
    m(
        "security.forged",
        before=believes(strange),
    ),
    m("security.challenge", after=header("www-authenticate", None, lambda e: e.status == 401)),
    m("security.required", "of the second", before=believes(tokenless, path=SECOND)),
    m("security.required", "crash", before=calls(tokenless, 500)),
    m("security.forged", "of the second", before=believes(strange, path=SECOND)),
    m("security.feedback", before=believes(tokenless, path=f"{FIRST}/feedback")),
    m("security.feedback", "of the second", before=believes(tokenless, path=f"{SECOND}/feedback")),
    m("security.feedback", "alg none", before=believes(unsigned, path=f"{FIRST}/feedback")),
    m(
        "security.feedback",
        "signature not looked at",
        before=believes(lambda e: ordinary(e) and new(e), path=f"{FIRST}/feedback"),
        groups=("security",),
    ),
    m("security.alg-none", "of the second", before=believes(unsigned, path=SECOND)),
    m(
        "security.other-key",
        "of the second",
        before=believes(lambda e: ordinary(e) and new(e), path=SECOND),
        groups=("security",),
    ),
    m(
        "security.audience",
        "of the second",
        before=believes(lambda e: known(e) and "elsewhere" in str(e.claims.get("aud")), path=SECOND),
    ),
    m(
        "security.expired",
        "of the second",
        before=believes(claim("exp", lambda held: held is not None and held < time.time()), path=SECOND),
    ),
    m(
        "security.accepted",
        before=calls(lambda e: e.path == FIRST, 401),
        groups=("security",),
        also=("security.clock", "security.scheme", "security.challenge"),
    ),
    m("security.alg-none", before=believes(unsigned)),
    m("security.shared-secret", before=believes(lambda e: str(e.head.get("alg")).startswith("HS"))),
    no_signature("security.other-key", "security.tampered"),
    no_signature("security.tampered", "security.other-key"),
    m(
        "security.unknown-kid",
        before=believes(lambda e: e.claims and e.head.get("kid") in (None, "conformance-no-such-key")),
    ),
    m("security.typ", before=believes(lambda e: e.head.get("typ") == "at+jwt")),
    m("security.jku", before=believes(lambda e: "jku" in e.head)),
    m("security.jku", "fetched", before=fetches(lambda e: e.head.get("jku"))),
    m(
        "security.issuer",
        before=believes(claim("iss", lambda held: held in (None, "https://nobody.example"))),
    ),
    m(
        "security.audience",
        before=believes(lambda e: known(e) and e.claims.get("aud") != e.mutant.base + FIRST),
    ),
    m("security.expired", before=believes(claim("exp", lambda held: held is None or held < time.time()))),
    m(
        "security.lifetime",
        before=believes(claim("exp", lambda held: held and held > time.time() + 24 * HOUR)),
    ),
    m("security.iat", before=believes(claim("iat", lambda held: held is None))),
    m("security.clock", before=calls(claim("iat", lambda held: held and held > time.time()), 401)),
    m("security.jti", before=believes(claim("jti", lambda held: held is None))),
    m("security.replay", before=believes(lambda e: e.token and not new(e))),
    m("security.garbage", before=calls(lambda e: e.token == "a.b.c", 500)),
    m(
        "security.scheme",
        before=calls(lambda e: e.headers.get("authorization", "").startswith("bearer "), 401),
    ),
    m("security.reason", after=explains),
]
CORS = [
    m("cors.preflight", after=header("access-control-allow-headers", None, is_preflight), options=BROWSER),
    m("cors.preflight", "401", before=replaced(is_preflight, 401, ERROR), options=BROWSER),
    m("cors.answers", after=header("access-control-allow-origin", None, is_discovery), options=BROWSER),
    m(
        "cors.errors",
        after=header("access-control-allow-origin", None, lambda e: e.is_call and e.status == 400),
        options=BROWSER,
    ),
    m("cors.vary", after=header("vary", None, is_discovery), options=BROWSER),
    m(
        "cors.elsewhere",
        after=header("access-control-allow-origin", "*", lambda e: e.headers.get("origin") == ELSEWHERE),
    ),
    m("cors.credentials", after=header("access-control-allow-credentials", "true", is_preflight)),
]
ERRORS = [
    m("errors.broken-json", before=calls(unreadable, 200, NO_CARDS)),
    m("errors.strict-json", before=changes(lambda e: b"NaN" in e.body, sets(x=None))),
    m("errors.content-type", before=changes(lambda e: "xml" in e.headers["content-type"], json_after_all)),
    m("errors.unknown-service", before=calls(lambda e: "no-such-service" in e.path, 400)),
    m("errors.method", before=replaced(lambda e: e.path == FIRST and e.method == "GET", 200, NO_CARDS)),
    m("errors.other-hook", before=changes(to("org.example.conformance-hook"), sets(hook="patient-view"))),
    m(
        "errors.no-hook",
        before=changes(lambda e: e.asked and "hook" not in e.asked, sets(hook="patient-view")),
    ),
    m(
        "errors.no-instance",
        before=changes(lambda e: e.asked and "hookInstance" not in e.asked, sets(hookInstance="x")),
    ),
    m("errors.no-context", before=calls(lambda e: e.asked and "context" not in e.asked, 200, NO_CARDS)),
    m(
        "errors.authorization-alone",
        before=changes(
            lambda e: "fhirAuthorization" in e.asked and "fhirServer" not in e.asked,
            sets(fhirAuthorization=None),
        ),
    ),
    m("errors.context-field", before=calls(lambda e: e.patient == "None", 200, NO_CARDS)),
    m("errors.context-id", before=calls(lambda e: e.patient == "Patient/../x", 200, NO_CARDS)),
    m("errors.echo", after=marked),
    m("errors.crash", before=calls(lambda e: isinstance(e.asked.get("prefetch"), list), 500)),
]
READINESS = [
    m("readiness.version", after=entry(version="two")),
    m("readiness.hook-version", after=entry(hookVersion="9.9")),
    m("readiness.key-order", after=template("Patient/{{%later.id}}")),
    m(
        "readiness.paths",
        after=template(OF_PATIENT + "&date=ge{{today() - 1 year}}"),
        also=("templates.token",),
    ),
    m("readiness.outcome", before=calls(lambda e: "no-such-service" in e.path, 404, {"error": "nothing"})),
    m("readiness.resource", after=action(resource=BAD_DRAFT)),
    m("readiness.action-selection", after=suggestion(actionSelectionBehavior="any")),
    m("readiness.reason-codes", after=reason(system="local")),
]
MUTATIONS: list[Mutation] = [
    *DISCOVERY,
    *TEMPLATES,
    *CALLS,
    *FHIR,
    *TRANSPORT,
    *CARDS,
    *SUGGESTIONS,
    *LINKS,
    *FEEDBACK,
    *SECURITY,
    *CORS,
    *ERRORS,
    *READINESS,
]
