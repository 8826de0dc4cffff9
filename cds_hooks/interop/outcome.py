"""What a run found: checks, the patients they are about, and the whole."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from cds_hooks.interop.clean import Cleaned

Verdict = Literal["pass", "differs", "fail"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: `differs` is a difference that this server is known to cost, named in `detail`."""

    name: str
    verdict: Verdict
    detail: str = ""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """One patient: what was expected, what was found, and every check."""

    name: str
    title: str
    patient: str
    checks: tuple[Check, ...]
    lesions: dict[str, str] = {}
    patient_status: str = ""
    rules: dict[str, list[str]] = {}
    gaps: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its checks."""
        verdicts = {one.verdict for one in self.checks}
        return (
            "fail" if "fail" in verdicts or not verdicts else "differs" if "differs" in verdicts else "pass"
        )


class Outcome(msgspec.Struct, kw_only=True):
    """A whole run; counts are those of resources on the server, by type, where it tells them."""

    run: str
    base: str
    mode: Literal["write", "read-only"]
    service: str
    version: str
    pack: str
    today: str
    started: str
    software: str | None = None
    dialect: str | None = None
    patients: list[Examined] = []
    notes: list[str] = []
    created: int = 0
    cleaned: Cleaned | None = None
    before: dict[str, int | None] = {}
    after: dict[str, int | None] = {}
    manifest: str | None = None
    interrupted: bool = False
    kept: bool = False
    requests: int = 0
    waits: int = 0
    seconds: float = 0.0

    def number(self, verdict: Verdict) -> int:
        """How many patients have this verdict."""
        return sum(one.verdict == verdict for one in self.patients)

    @property
    def good(self) -> bool:
        """True where every patient passed or differs as this server is known to, and nothing was left."""
        removed = self.kept or self.cleaned is None or self.cleaned.whole
        return bool(self.patients) and not self.number("fail") and removed and not self.interrupted

    def document(self) -> dict[str, Any]:
        """Returns the outcome as plain JSON values, with the verdicts written out."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        for one, told in zip(self.patients, found["patients"], strict=True):
            told["verdict"] = one.verdict
        counts = {name: self.number(name) for name in ("pass", "differs", "fail")}
        return {**found, "good": self.good, "counts": counts}
