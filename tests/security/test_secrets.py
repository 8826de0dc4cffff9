"""Secrets: compared in constant time, read from files or the environment, in no argument of a command."""

from __future__ import annotations

import ast
import re

import pytest

from cds_hooks.timeline_page.session import Flow
from tests.security.patterns import HOUSES, ROOT

SECRET = re.compile(
    r"(^|_)(secret|password|csrf|nonce|verifier|challenge|browser|state|code|token|digest|signature|hash)s?$"
)
# Each equality on a name like that, and why its time tells nobody anything. What is found by a key of a dictionary is
# looked up under its SHA-256 (sessions, sign-ins) or was proven by a signature before (jti).
JUDGED = ROOT / "tests" / "security" / "comparisons.txt"


def comparisons() -> set[str]:
    found = set()
    for house in HOUSES:
        for path in sorted((ROOT / house).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                    sides = [node.left, *node.comparators]
                    if any(SECRET.search(name(side)) for side in sides) and not any(map(plain, sides)):
                        found.add(f"{path.relative_to(ROOT)}: {ast.unparse(node)}")
    return found


def name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def plain(node: ast.expr) -> bool:
    """A literal or a constant by its name is no secret."""
    return isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.Dict) or name(node).isupper()


def test_every_equality_on_what_sounds_like_a_secret_was_judged() -> None:
    judged = {line.split("  # ")[0] for line in JUDGED.read_text(encoding="utf-8").splitlines() if line}
    assert all("  # " in line for line in JUDGED.read_text(encoding="utf-8").splitlines() if line)
    assert comparisons() == judged


def test_what_proves_a_caller_is_compared_in_constant_time() -> None:
    """The value of the page's own requests, the browser of a sign-in, the challenge of the demo's authority."""
    for file in ("timeline_page/routes.py", "timeline_page/session.py", "page/authority.py"):
        text = (ROOT / "cds_hooks" / file).read_text(encoding="utf-8")
        assert "compare_digest(" in text


@pytest.mark.parametrize("cookie", ["ü", "\u20ac", "", "x" * 10_000])
def test_a_cookie_of_any_text_is_another_browser(cookie: str) -> None:
    flow = Flow(
        server="s", issuer=None, token_endpoint="t", jwks_uri=None, verifier="v", nonce="n", browser="right"
    )
    assert not flow.begun_in(cookie)
    assert flow.begun_in("right")


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """Arguments are seen by everybody on the machine: a secret comes by a file or the environment."""
    option = re.compile(r'"(--[a-z-]*(?:token|secret|password|key)[a-z-]*)"')
    named = {
        found
        for path in (ROOT / "cds_hooks").rglob("*.py")
        for found in option.findall(path.read_text(encoding="utf-8"))
    }
    assert named
    # --key and --service-key name files; an endpoint is an address.
    assert named <= {"--key", "--service-key", "--secret-env", "--secret-file", "--token-endpoint"}
