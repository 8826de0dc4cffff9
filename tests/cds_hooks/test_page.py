"""The demo EHR's page in a real browser: it calls the service from another origin and shows what it gets."""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cds_hooks.app import create_app
from cds_hooks.page.ehr import create_ehr
from plugin.chart import Gap, GapReason
from plugin.decision import OverrideReason, Suggestion
from plugin.errors import NoData
from tests.cds_hooks.serving import DRAFT, Said, advice, free_port, open_settings, served

DETAIL = """\
**Two lesions** were last seen on 2026-03-02.

| Lesion | Size |
|:--|--:|
| L1 | 18 mm |

<b>no</b> <img src=x onerror="document.title='broken'"> ![picture](https://elsewhere.example/x.png)
[bad](javascript:alert(1)) [good](https://example.org/)
"""


def sample(patient: str, hook: str) -> SimpleNamespace:
    person = {
        "resourceType": "Patient",
        "id": patient,
        "name": [{"given": ["Vestige"], "family": f"Sample-{patient}"}],
    }
    observations = [
        {
            "resourceType": "Observation",
            "id": f"{patient}-{n}",
            "status": "final",
            "subject": {"reference": f"Patient/{patient}"},
        }
        for n in range(3)
    ]
    context: dict[str, Any] = {"userId": "Practitioner/u1", "patientId": patient}
    if hook == "order-sign":
        order = {
            **DRAFT,
            "id": "d1",
            "code": {"text": "Watch and wait"},
            "subject": {"reference": f"Patient/{patient}"},
        }
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in [person, *observations]]}
    return SimpleNamespace(
        name=patient, title=f"Story of {patient}", bundle=bundle, hook={"hook": hook, "context": context}
    )


@contextlib.contextmanager
def demo(said: Said) -> Iterator[str]:
    """Yields the page's address; page and service answer on ports of their own."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with served(create_app(open_settings(cors_origins=(origin,)), said)) as service:
        samples = [sample("one", "order-sign"), sample("two", "patient-view")]
        with served(create_ehr(samples, origin=origin, service=service), port) as address:
            yield address


@pytest.fixture(scope="module")
def said() -> Said:
    ultrasound = {**DRAFT, "code": {"text": "IOUS"}}
    suggestion = Suggestion(
        label="Order intraoperative ultrasound",
        description="US Liver during surgery",
        resource=ultrasound,
        recommended=True,
    )
    suggestions = (suggestion,)
    reasons = (
        OverrideReason(code="limited-time", display="No time", system="urn:r"),
        OverrideReason(code="other", display="Other", system="urn:r"),
    )
    critical = advice(indicator="critical", detail=DETAIL, suggestions=suggestions, override_reasons=reasons)
    return Said(
        advices=(critical, advice(indicator="info", summary="Second card", suggestions=(), topic="two"))
    )


@pytest.fixture(scope="module")
def address(said: Said) -> Iterator[str]:
    with demo(said) as made:
        yield made


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    faults: list[str] = []
    opened.on(
        "console",
        lambda message: faults.append(message.text) if message.type in ("error", "warning") else None,
    )
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector("#patients button")
    yield opened
    opened.close()
    assert not faults


def fire(page: Any, patient: str = "one", hook: str = "order-sign", data: str = "both") -> None:
    page.click(f"[data-patient={patient}]")
    page.check(f"input[value={data}]")
    page.click(f"[data-hook={hook}]")
    page.wait_for_selector("#cards > *")


def test_cards_as_an_ehr_shows_them(page: Any) -> None:
    fire(page)
    assert page.locator("#status").inner_text().startswith("2 cards in ")
    first = page.locator(".card").first
    assert "critical" in first.get_attribute("class")
    assert first.locator(".indicator").inner_text().lower() == "critical"
    assert first.locator("h3").inner_text() == "Lesion L1 is not confirmed as gone"
    assert first.locator("table th").all_inner_texts() == ["Lesion", "Size"]
    assert first.locator("td.align-right").inner_text() == "18 mm"
    assert page.locator(".card").nth(1).locator(".suggestions").count() == 0


def test_text_of_cards_is_never_markup(page: Any) -> None:
    fire(page)
    detail = page.locator(".detail").first
    assert detail.locator("img, b, script, [style]").count() == 0
    assert detail.locator("a").evaluate_all("links => links.map(link => link.protocol)") == [
        "https:",
        "https:",
    ]
    assert page.title() == "Vestige demo EHR"


@pytest.mark.parametrize(
    ("data", "prefetch", "server"), [("both", True, True), ("prefetch", True, False), ("fhir", False, True)]
)
def test_the_call_carries_what_was_chosen(
    page: Any, said: Said, data: str, prefetch: bool, server: bool
) -> None:
    fire(page, data=data)
    call, _ = said.calls[-1]
    assert (call.hook, call.patient_id, call.instance_is_uuid) == ("order-sign", "one", True)
    assert (call.prefetch is not None) is prefetch
    assert (call.fhir_server is not None, call.authorization is not None) == (server, server)
    if call.prefetch is not None:
        assert set(call.prefetch) == set(said.prefetch)
        assert call.prefetch["patient"]["id"] == "one"
        assert call.prefetch["studies"]["total"] == 0
    assert call.context["draftOrders"]["entry"][0]["resource"]["id"] == "d1"


def test_open_chart_sends_no_orders(page: Any, said: Said) -> None:
    fire(page, hook="patient-view")
    call, _ = said.calls[-1]
    assert set(call.context) == {"userId", "patientId"}


def test_a_patient_without_orders_has_nothing_to_sign(page: Any) -> None:
    page.click("[data-patient=two]")
    assert page.locator("[data-hook=order-sign]").is_disabled()
    assert page.locator("#orders").inner_text() == "None"


def test_accepting_adds_the_order_and_tells_the_service(page: Any, said: Said) -> None:
    said.feedback.clear()
    fire(page)
    page.get_by_role("button", name="Accept: Order intraoperative ultrasound").click()
    page.get_by_text("Order added; the service was told.").wait_for()
    assert "IOUS" in page.locator("#orders").inner_text()
    (item,) = said.feedback
    assert item.outcome == "accepted"
    response = page.evaluate("JSON.parse(document.getElementById('response').textContent)")
    assert item.card == response["cards"][0]["uuid"]
    assert item.accepted == (response["cards"][0]["suggestions"][0]["uuid"],)


def test_dismissing_sends_the_reason(page: Any, said: Said) -> None:
    said.feedback.clear()
    fire(page)
    card = page.locator(".card").first
    card.locator("select").select_option(label="No time")
    card.get_by_role("button", name="Dismiss").click()
    page.get_by_text("Dismissed; the service was told.").wait_for()
    (item,) = said.feedback
    assert (item.outcome, item.reason_system, item.reason_code, item.reason_display) == (
        "overridden",
        "urn:r",
        "limited-time",
        "No time",
    )
    assert card.locator(".detail").is_hidden()


def test_raw_call_without_the_token(page: Any, said: Said) -> None:
    fire(page, data="fhir")
    page.click("#raw summary")
    token = said.calls[-1][0].authorization["access_token"]
    assert '"(hidden)"' in page.locator("#request").inner_text()
    assert token not in page.content()


def test_by_keyboard_alone(page: Any) -> None:
    def reach(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached by keyboard")

    reach("[data-patient=one]")
    page.keyboard.press("Enter")
    reach("[data-hook=order-sign]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".card")
    reach(".suggestions button")
    page.keyboard.press("Enter")
    page.get_by_text("Order added; the service was told.").wait_for()


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_nothing_hangs_over_the_edge(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    fire(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("hook", ["order-sign"])
def test_a_refusal_is_shown_and_not_taken_for_all_clear(browser: Any, hook: str) -> None:
    gap = Gap(
        resource="Observation",
        reason=GapReason.FORBIDDEN,
        detail="status 403",
        decisive=True,
        query="imaging",
    )
    with demo(Said(error=NoData("nothing decisive can be read", (gap,)))) as origin:
        page = browser.new_page()
        page.goto(origin)
        fire(page, hook=hook)
        text = page.locator("#cards").inner_text()
        assert "could not answer (412)" in text
        assert "imaging: forbidden" in text
        assert "not assessed" in page.locator("#status").inner_text()
        page.close()


def test_nothing_to_say_is_said(browser: Any) -> None:
    with demo(Said()) as origin:
        page = browser.new_page()
        page.goto(origin)
        fire(page, hook="patient-view")
        assert "nothing to say" in page.locator("#cards").inner_text()
        page.close()


def test_a_service_that_is_away(browser: Any) -> None:
    with served(
        create_ehr([sample("one", "order-sign")], origin="http://x.example", service="http://127.0.0.1:9")
    ) as origin:
        page = browser.new_page()
        page.goto(origin)
        page.get_by_text("does not answer").wait_for()
        page.close()
