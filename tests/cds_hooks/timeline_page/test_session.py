"""What is kept of sign-ins and sessions: for a time, so many, once where that is asked."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_hooks.timeline_page.session import FLOW_SECONDS, Desk, Flow, Kept, Session, new_secret


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def flow(browser: str = "b") -> Flow:
    return Flow(
        server="https://ehr.example/fhir",
        issuer=None,
        token_endpoint="https://ehr.example/token",
        jwks_uri=None,
        verifier="verifier-of-a-test",
        nonce="nonce-of-a-test",
        browser=browser,
    )


def session(name: str, until: float) -> Session:
    return Session(
        id=name,
        csrf="csrf-of-a-test",
        server="https://ehr.example/fhir",
        patient="patient-of-a-test",
        token="token-of-a-test",
        scope=frozenset(),
        until=until,
    )


def test_a_value_is_there_until_its_time() -> None:
    clock = Clock()
    kept: Kept[str] = Kept(3, clock)
    kept.put("a", "one", clock.now + 5)
    assert kept.get("a") == "one"
    clock.now += 5
    assert kept.get("a") is None
    assert kept._held == {}


def test_a_value_is_taken_once() -> None:
    clock = Clock()
    kept: Kept[str] = Kept(3, clock)
    kept.put("a", "one", clock.now + 5)
    assert kept.take("a") == "one"
    assert kept.take("a") is None


def test_no_name_finds_nothing() -> None:
    kept: Kept[str] = Kept(3)
    assert kept.get(None) is None
    assert kept.get("") is None
    assert kept.take(None) is None


@settings(max_examples=50, deadline=None)
@given(names=st.lists(st.integers(0, 30), max_size=60), most=st.integers(1, 8))
def test_there_are_never_more_than_the_limit_and_the_latest_is_among_them(
    names: list[int], most: int
) -> None:
    kept: Kept[int] = Kept(most, Clock())
    for name in names:
        kept.put(str(name), name, 2000.0)
        assert len(kept._held) <= most
        assert kept.get(str(name)) == name


def test_the_name_itself_is_not_held() -> None:
    kept: Kept[str] = Kept(3)
    kept.put("a-name-that-opens", "one", 1e12)
    assert "a-name-that-opens" not in repr(kept._held)


def test_a_sign_in_ends_after_ten_minutes() -> None:
    clock = Clock()
    desk = Desk(5, clock)
    desk.begin("state", flow())
    clock.now += FLOW_SECONDS
    assert desk.flows.take("state") is None


def test_a_session_that_ended_is_not_brought_back_by_a_change() -> None:
    clock = Clock()
    desk = Desk(5, clock)
    opened = desk.open(session("s", clock.now + 10))
    desk.sessions.take("s")
    desk.change(opened, pending={})
    assert desk.sessions.get("s") is None


def test_only_the_browser_that_set_out_comes_back() -> None:
    begun = flow("right")
    assert begun.begun_in("right")
    assert not begun.begun_in("wrong")
    assert not begun.begun_in(None)


def test_no_text_form_holds_a_token_a_patient_or_a_secret() -> None:
    text = repr(session("id-of-a-test", 1.0)) + repr(flow("browser-of-a-test"))
    for hidden in ("token-of", "patient-of", "csrf-of", "id-of", "verifier-of", "nonce-of", "browser-of"):
        assert hidden not in text


def test_secrets_have_256_bits_and_differ() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 43 for one in made)
