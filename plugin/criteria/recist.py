"""RECIST 1.1: sums of targets, nadir, target response, non-targets, overall response.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247; reappearance as in the EORTC's published answers.
Lengths come in as millimetres and are computed in whole tenths.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from plugin.criteria.category import Category, Criterion, category
from plugin.criteria.exact import CriterionError, Number, millimetres, tenths

TOO_SMALL = 50
NORMAL_NODE = 100
ABSOLUTE_GROWTH = 50
MAX_TARGETS = 5
MAX_TARGETS_PER_ORGAN = 2
PARTIAL_RESPONSE_PERCENT = -30
PROGRESSION_PERCENT = 20
"""The two lines as a plot draws them; `partial_response` and `progression` decide in whole tenths."""


class State(StrEnum):
    """How a target stands in one study."""

    MEASURED = "measured"
    TOO_SMALL_TO_MEASURE = "too-small-to-measure"
    ABSENT = "absent"
    NOT_EVALUATED = "not-evaluated"


@dataclass(frozen=True, slots=True)
class Target:
    """One target in one study: the long axis, or the short axis of a node, in mm."""

    id: str
    state: State
    mm: Number | None = None
    node: bool = False

    def size(self) -> int | None:
        """Gives tenths of a millimetre: 5 mm if too small and unmeasured, 0 if absent, None if unknown."""
        if self.state is State.NOT_EVALUATED:
            return None
        if self.state is State.ABSENT:
            return 0
        if self.mm is None:
            if self.state is State.TOO_SMALL_TO_MEASURE:
                return TOO_SMALL
            raise CriterionError(f"target {self.id} is measured but has no size")
        return tenths(self.mm)


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of one study in tenths of a millimetre, and whether every target is in it."""

    tenths: int
    complete: bool
    gone: bool
    """Every target is absent or a node below 10 mm."""

    @property
    def mm(self) -> Decimal:
        return millimetres(self.tenths)


def measurable(mm: Number, *, slice_mm: Number | None, node: bool = False) -> bool:
    """Says whether a lesion can be a target: 10 mm (twice a slice over 5 mm), a node 15 mm short axis."""
    size = tenths(mm)
    if node:
        return size >= 150
    return size >= max(100, 2 * tenths(slice_mm) if slice_mm is not None and tenths(slice_mm) > 50 else 0)


def check_targets(organ_of: Mapping[str, str]) -> None:
    """Refuses more than five targets, or more than two in one organ."""
    if len(organ_of) > MAX_TARGETS:
        raise CriterionError(f"{len(organ_of)} targets; RECIST 1.1 allows {MAX_TARGETS}")
    for organ, count in Counter(organ_of.values()).items():
        if count > MAX_TARGETS_PER_ORGAN:
            raise CriterionError(
                f"{count} targets in {organ}; RECIST 1.1 allows {MAX_TARGETS_PER_ORGAN} an organ"
            )


def sum_of(targets: Iterable[Target]) -> Sum:
    """Gives the sum of the evaluated targets of one study; a target named twice is refused."""
    listed = list(targets)
    names = Counter(target.id for target in listed)
    if any(count > 1 for count in names.values()):
        raise CriterionError(f"a target is named twice: {', '.join(n for n, c in names.items() if c > 1)}")
    sizes = [(target, target.size()) for target in listed]
    known = [(target, size) for target, size in sizes if size is not None]
    return Sum(
        tenths=sum(size for _, size in known),
        complete=bool(listed) and len(known) == len(listed),
        gone=bool(known) and all(size == 0 or (t.node and size < NORMAL_NODE) for t, size in known),
    )


def nadir(sums: Sequence[Sum]) -> Sum | None:
    """Gives the smallest complete sum, baseline included; the study in question is not to be among them."""
    complete = [each for each in sums if each.complete]
    return min(complete, key=lambda each: each.tenths) if complete else None


def partial_response(baseline: int, now: int) -> bool:
    """Says whether the sum fell by 30 % of baseline or more; same unit on both sides."""
    return baseline > 0 and 10 * (baseline - now) >= 3 * baseline


def progression(nadir: int, now: int) -> bool:
    """Says whether the sum rose by 20 % of the nadir or more and by 5 mm or more; tenths of a millimetre.

    A nadir of 0 gives no percentage: from there 5 mm are progression, and what has reappeared below them is
    for `target_response` to say.
    """
    return 5 * (now - nadir) >= nadir and now - nadir >= ABSOLUTE_GROWTH


def target_response(baseline: Sum, lowest: Sum, now: Sum, *, previous_overall: str | None = None) -> Category:
    """Gives CR, PR, SD, PD or NE of the target sum; progression comes before everything else.

    An incomplete sum can only grow, so it may show progression and nothing else. A target that is back from
    a nadir of 0 is PD from 5 mm on, or after an overall CR; a smaller one is NE, never SD or PR.
    """
    why = f"baseline {baseline.mm} mm, nadir {lowest.mm} mm, now {now.mm} mm"
    if baseline.tenths <= 0 or not baseline.complete:
        return _category("NE", f"{why}; no complete baseline sum above 0")
    back = lowest.tenths == 0 and now.tenths > 0 and not now.gone
    if progression(lowest.tenths, now.tenths) and (back or lowest.tenths > 0):
        above = "20 % and 5 mm" if lowest.tenths else "5 mm"
        return _category("PD", f"{why}; at least {above} above nadir")
    if back and previous_overall == "CR":
        return _category("PD", f"{why}; reappeared after an overall CR")
    if not now.complete:
        return _category("NE", f"{why}; not every target evaluated")
    if back:
        return _category("NE", f"{why}; back from a nadir of 0, less than 5 mm")
    if now.gone:
        return _category("CR", f"{why}; every target absent, every node below 10 mm")
    if partial_response(baseline.tenths, now.tenths):
        return _category("PR", f"{why}; at least 30 % below baseline")
    return _category("SD", why)


class NonTarget(StrEnum):
    """Non-target disease as one: NONE where there is none at baseline."""

    CR = "CR"
    NON_CR_NON_PD = "non-CR/non-PD"
    PD = "PD"
    NE = "NE"
    NONE = "none"


class Marker(StrEnum):
    """The tumour marker for an overall CR: WAIVED where it was never above the limit."""

    NORMAL = "normal"
    RAISED = "raised"
    UNKNOWN = "unknown"
    WAIVED = "waived"


def marker_state(
    baseline: Number | None, baseline_limit: Number | None, last: Number | None, limit: Number | None
) -> Marker:
    """Gives the marker's state; a baseline at or below the limit waives the condition."""
    if baseline is not None and baseline_limit is not None and baseline <= baseline_limit:
        return Marker.WAIVED
    if last is None or limit is None:
        return Marker.UNKNOWN
    return Marker.NORMAL if last <= limit else Marker.RAISED


def non_target_response(
    *, present: bool, all_gone: bool | None, unequivocal_growth: bool | None
) -> NonTarget:
    """Gives the response of the non-target lesions; None is not evaluated; the marker counts overall."""
    if not present:
        return NonTarget.NONE
    if unequivocal_growth:
        return NonTarget.PD
    if all_gone is None:
        return NonTarget.NE
    return NonTarget.CR if all_gone else NonTarget.NON_CR_NON_PD


def overall_response(
    target: str | None, non_target: NonTarget, *, new_lesion: bool, marker: Marker
) -> Category:
    """Gives the overall response (tables 1 and 2); `target` is None where there is no target lesion.

    `new_lesion` means an unequivocal one: not one charted first by a better technique.
    """
    if target is not None:
        category(Criterion.RECIST_11, target)
    why = f"targets {target or 'none'}, non-targets {non_target}, new lesion {'yes' if new_lesion else 'no'}"
    if new_lesion or target == "PD" or non_target is NonTarget.PD:
        return _category("PD", why)
    if target is None:
        if non_target is NonTarget.CR:
            return _complete(marker, why, otherwise="non-CR/non-PD")
        return _category("NE" if non_target in (NonTarget.NE, NonTarget.NONE) else "non-CR/non-PD", why)
    if target == "NE":
        return _category("NE", why)
    if target == "CR":
        if non_target in (NonTarget.CR, NonTarget.NONE):
            return _complete(marker, why, otherwise="PR")
        return _category("PR", why)
    return _category(target, why)


def reappearance(
    baseline: Sum, lowest: Sum, before: Sum, back_mm: Number, *, previous_overall: str, confirmed: bool
) -> Category:
    """Gives the target response when a vanished target is back: PD after a confirmed CR, else by the sum.

    `before` is the sum of the other targets of that study; the size that came back is added to it.
    """
    if previous_overall == "CR" and confirmed:
        return _category("PD", f"reappeared with {back_mm} mm after a confirmed CR")
    return target_response(
        baseline, lowest, Sum(before.tenths + tenths(back_mm), before.complete, gone=False)
    )


def _complete(marker: Marker, why: str, *, otherwise: str) -> Category:
    if marker in (Marker.NORMAL, Marker.WAIVED):
        return _category("CR", f"{why}; marker {marker}")
    if marker is Marker.UNKNOWN:
        return _category("CR-marker-unknown", f"{why}; marker not recorded")
    return _category(otherwise, f"{why}; marker above its limit")


def _category(value: str, why: str) -> Category:
    return category(Criterion.RECIST_11, value, why)
