"""The status definition R-6, written straight down from its text and not from the rules.

Everything is a plain loop over sightings; nothing here knows strata, kinds or statements. Where the text is silent the
choices are those of docs/clinical/decisions.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.rules.crlm.histories import Exam, History, Sighting, Treatment

WINDOW = 28
INTRAOPERATIVE = ("IOUS", "CEIOUS")


@dataclass(frozen=True)
class Status:
    value: str
    reason: str = "none"
    day: int | None = None


def status(history: History, lesion: str) -> Status:
    """Returns the status of one lesion."""
    return _Case(history, lesion).decide()


def grades(history: History) -> dict[str, str]:
    """Returns the grade of every negative that is used, by the sighting's id (R-4)."""
    cases = [_Case(history, lesion.id) for lesion in history.lesions]
    return {n.id: case.grade(n) for case in cases for n in case.explicit}


def adequate_mri(exam: Exam) -> bool:
    """R-5: known-bad beats the reader; a missing reader's word needs every quality explicit and good."""
    if exam.final != "yes" or exam.class_ != "MRI":
        return False
    if exam.agent not in ("gadoxetate", "gadobenate") or exam.hbp != "yes" or exam.dwi != "yes":
        return False
    if exam.hbp_quality == "poor" or exam.coverage == "partial":
        return False
    if exam.max_b is not None and exam.max_b < 400:
        return False
    if exam.slice_mm is not None and exam.slice_mm > 5:
        return False
    if exam.agent == "gadobenate" and exam.delayed == "no":
        return False
    if exam.adequacy is not None:
        return exam.adequacy == "adequate"
    return (
        exam.hbp_quality == "good"
        and exam.max_b is not None
        and exam.slice_mm is not None
        and exam.coverage == "whole-liver"
        and exam.artefact == "none"
        and (exam.agent == "gadoxetate" or exam.delayed == "yes")
    )


def strong_study(exam: Exam) -> bool:
    return exam.class_ in INTRAOPERATIVE or adequate_mri(exam)


def known_weak(exam: Exam) -> bool:
    """On record as less than an adequate MRI; what is not recorded may have been good."""
    if exam.class_ != "MRI":
        return exam.class_ in ("CT", "US", "PET")
    return (
        exam.adequacy in ("limited", "non-diagnostic")
        or exam.agent not in ("gadoxetate", "gadobenate", None)
        or "no" in (exam.hbp, exam.dwi)
        or exam.hbp_quality == "poor"
        or exam.coverage == "partial"
        or (exam.max_b is not None and exam.max_b < 400)
        or (exam.slice_mm is not None and exam.slice_mm > 5)
    )


class _Case:
    def __init__(self, history: History, lesion: str) -> None:
        self.history = history
        self.lesion = next(one for one in history.lesions if one.id == lesion)
        final = {exam.id: exam for exam in history.exams if exam.final == "yes"}
        self.exams = final
        self.all = [s for s in history.sightings if s.lesion == lesion and s.exam in final]
        self.raw_visible = [s for s in self.all if s.visibility == "visible"]
        said_visible = {s.exam for s in self.raw_visible}
        said_negative = {s.exam for s in self.all if s.visibility == "not-visible"}
        self.both = said_visible & said_negative
        self.visible = [s for s in self.raw_visible if s.exam not in self.both]
        self.explicit = [s for s in self.all if s.visibility == "not-visible" and s.exam not in self.both]
        self.unclear = [s for s in self.all if s.visibility == "indeterminate"]
        stated = {s.exam for s in self.all if s.visibility in ("visible", "not-visible", "indeterminate")}
        self.zero = [
            s for s in self.all if s.zero_size and s.visibility == "unknown" and s.exam not in stated
        ]
        self.silent = [e for e in history.silent(lesion) if e.adequacy != "non-diagnostic"]
        seen = [s.day for s in self.visible if s.day is not None and self.diagnostic(s)]
        self.first_seen = min(seen, default=None)
        after = [d for d in history.doses if self.first_seen is not None and d.first >= self.first_seen]
        self.tx_first = min((d.first for d in after), default=None)
        self.tx_last = min((d.last for d in after), default=None)

    def diagnostic(self, sighting: Sighting) -> bool:
        return self.exams[sighting.exam].adequacy != "non-diagnostic"

    def class_of(self, sighting: Sighting) -> str:
        return self.exams[sighting.exam].class_

    # ------------------------------------------------------------------
    def separated(self, p: Sighting, n: Sighting) -> bool:
        assert p.day is not None
        assert n.day is not None
        return any(p.day <= dose.first and dose.last < n.day for dose in self.history.doses)

    def grade(self, n: Sighting) -> str:
        exam = self.exams[n.exam]
        if n.day is None or exam.adequacy == "non-diagnostic":
            return "void"
        if exam.class_ == "unknown":
            return "void"
        if exam.class_ in INTRAOPERATIVE and (exam.adequacy != "adequate" or exam.lesion_map == "no"):
            return "void"
        if n.artefact_at_site == "yes":
            return "void"
        if exam.artefact == "present" and n.artefact_at_site != "no" and exam.adequacy != "adequate":
            return "void"
        if n.covered_site == "no" or (exam.coverage == "partial" and n.covered_site != "yes"):
            return "void"
        if exam.class_ not in INTRAOPERATIVE and not adequate_mri(exam):
            return "weak"
        if exam.slice_mm is not None:
            size = self.size_for_slices()
            if size is None or size < 2 * exam.slice_mm:
                return "weak"
        if n.reticulation_at_site == "yes" or exam.reticulation == "diffuse":
            return "weak"
        if exam.reticulation == "segments" and n.reticulation_at_site != "no":
            return "weak"
        for treatment in self.history.treatments:
            if (
                treatment.lesion == self.lesion.id
                and treatment.type_ == "other"
                and treatment.day is not None
            ):
                if 0 <= n.day - treatment.day <= 90:
                    return "weak"
        return "strong"

    def size_for_slices(self):
        """The smallest size on record before therapy; if there is none yet, the first size on record."""
        sized = [s for s in self.visible if s.mm is not None and s.day is not None and self.diagnostic(s)]
        if not sized:
            return None
        first = min(s.day for s in sized)
        until = first if self.tx_first is None else max(first, self.tx_first)
        if self.tx_first is None:
            return min(s.mm for s in sized if s.day == first)
        return min(s.mm for s in sized if s.day <= until and (s.day <= self.tx_first or s.day == first))

    def superseded(self, p: Sighting) -> bool:
        if p.day is None:
            return False
        for n in self.explicit:
            grade = self.grade(n)
            if grade == "void" or n.day <= p.day or not self.separated(p, n):
                continue
            if grade == "strong":
                return True
            if self.class_of(n) == self.class_of(p) and not strong_study(self.exams[p.exam]):
                return True
        return False

    def reappearance(self, p: Sighting) -> bool:
        if self.class_of(p) in INTRAOPERATIVE or p.day is None:
            return False
        for n in self.explicit:
            grade = self.grade(n)
            if grade == "void" or not self.first_seen < n.day or not p.day - n.day > WINDOW:
                continue
            if grade == "strong":
                return True
            if self.class_of(n) == self.class_of(p) and not strong_study(self.exams[p.exam]):
                return True
        return False

    # ------------------------------------------------------------------ sizes
    def size_class(self, s: Sighting, reason: str = "none") -> Status:
        if self.unit_slip(s):
            return Status("VISIBLE", reason, s.day)
        if s.ttsm == "yes" or (s.mm is not None and s.mm <= 5):
            return Status("RESIDUAL_TINY", reason, s.day)
        if s.mm is not None and s.mm <= 10:
            return Status("SMALL_RESIDUAL", reason, s.day)
        return Status("VISIBLE", reason, s.day)

    def unit_slip(self, s: Sighting) -> bool:
        """R-15: a tenth or ten times the size before in the same class, unless too small to measure."""
        if s.mm is None or s.day is None or s.ttsm == "yes" or s.mm == 5:
            return False
        before = [
            b
            for b in self.raw_visible
            if b.mm is not None
            and b.day is not None
            and b.day < s.day
            and self.class_of(b) == self.class_of(s)
        ]
        if not before:
            return False
        last = max(before, key=lambda b: (b.day, b.mm, b.ttsm != "yes"))
        same = [b for b in before if (b.day, b.mm) == (last.day, last.mm)]
        if last.mm == 5 or any(b.ttsm == "yes" for b in same):
            return False
        return 9 * last.mm <= 100 * s.mm <= 11 * last.mm or 9 * last.mm <= s.mm <= 11 * last.mm

    @staticmethod
    def latest(sightings: list[Sighting]) -> Sighting:
        return max(
            sightings,
            key=lambda s: (s.day is not None, s.day or 0, s.mm is not None, s.mm or 0, s.ttsm != "yes"),
        )

    # ------------------------------------------------------------------
    def decide(self) -> Status:
        return self.treated() or self.unknown_operation() or self.without_therapy() or self.after_therapy()

    def treated(self) -> Status | None:
        done = [
            t
            for t in self.history.treatments
            if t.lesion == self.lesion.id and t.type_ in ("resected", "ablated")
        ]
        if not done:
            return None
        dated = [t.day for t in done if t.day is not None]
        if not dated:
            return Status("CANNOT_DECIDE", "treated-undated")
        last = max(dated)
        again = [
            s.day
            for s in self.raw_visible
            if s.day is not None and s.day > last and s.remnant != "ablation-zone"
        ]
        if not again:
            return Status("TREATED", "none", last)
        if max(again) - last > WINDOW:
            return Status("REAPPEARED", "local-recurrence", max(again))
        return Status("CANNOT_DECIDE", "contradiction", max(again))

    def unknown_operation(self) -> Status | None:
        seen = [s.day for s in self.raw_visible]
        if not seen or None in seen or self.lesion.disposition == "left-in-situ":
            return None
        days = [t.day for t in self.history.treatments if self.open(t)]
        for day in days:
            if day <= max(seen):
                continue
            looked = any(
                self.class_of(s) in INTRAOPERATIVE
                and s.visibility in ("visible", "not-visible", "indeterminate")
                and s.day is not None
                and s.day >= day
                for s in self.all
            )
            if not looked:
                return Status("CANNOT_DECIDE", "treated-or-not", max(days))
        return None

    @staticmethod
    def open(treatment: Treatment) -> bool:
        return treatment.lesion is None and treatment.type_ != "other" and treatment.day is not None

    def without_therapy(self) -> Status | None:
        if self.first_seen is None:
            if self.visible:
                return self.size_class(self.latest(self.visible))
            if self.both:
                return Status("CANNOT_DECIDE", "contradiction")
            if self.lesion.clash == "yes":
                return Status("CANNOT_DECIDE", "identity")
            if self.zero and not self.explicit and not self.unclear:
                return Status("CANNOT_DECIDE", "zero-size")
            return Status("CANNOT_DECIDE", "baseline-not-loaded" if self.history.cut else "baseline-missing")
        last = self.latest(self.visible)
        if not self.history.doses:
            dated = all(s.day is not None for s in self.visible)
            if dated and any(self.grade(n) != "void" and n.day > last.day + WINDOW for n in self.explicit):
                return Status("CANNOT_DECIDE", "therapy-not-recorded")
            return self.size_class(last)
        if self.tx_first is None or not self.restaged():
            return self.size_class(last, "no-restaging")
        return None

    def restaged(self) -> bool:
        for s in self.all:
            if s.day is None:
                continue
            if s.visibility in ("visible", "indeterminate") and s.day > self.tx_first:
                return True
            if s.visibility in ("visible", "not-visible", "indeterminate") and s.day > self.tx_last:
                return True
        if any(z.day is not None and z.day > self.tx_last for z in self.zero):
            return True
        return any(e.day is not None and e.day > self.tx_last for e in self.silent)

    def after_therapy(self) -> Status:
        restaging = [s for s in self.visible if s.day is None or s.day > self.tx_first]
        present = [s for s in restaging if not self.superseded(s)]
        if present:
            best = max(
                present,
                key=lambda s: (
                    strong_study(self.exams[s.exam]),
                    s.day is not None,
                    s.day or 0,
                    s.mm is not None,
                    s.mm or 0,
                    s.ttsm != "yes",
                ),
            )
            if any(self.reappearance(s) for s in present):
                return Status("REAPPEARED", "none", best.day)
            return self.size_class(best)
        strong = [n.day for n in self.explicit if self.grade(n) == "strong"]
        contra = [
            s.day for s in self.all if s.exam in self.both and s.visibility in ("visible", "not-visible")
        ]
        if contra:
            days = [day for day in contra if day is not None]
            if not days or not any(day > max(days) for day in strong):
                return Status("CANNOT_DECIDE", "contradiction")
        for i in self.unclear:
            if i.day is not None and i.day <= self.tx_first:
                continue
            resolved = i.day is not None and (
                any(day > i.day for day in strong)
                or (known_weak(self.exams[i.exam]) and any(day >= i.day - WINDOW for day in strong))
            )
            if not resolved:
                return Status("CANNOT_DECIDE", "indeterminate")
        return self.not_visible(restaging)

    def not_visible(self, restaging: list[Sighting]) -> Status:
        last_visible = max((s.day for s in restaging if s.day is not None), default=self.tx_last)
        counted = [
            n
            for n in self.explicit
            if self.grade(n) != "void" and n.day > self.tx_last and n.day > last_visible
        ]
        if not counted:
            return self.nothing_counts()
        best = "strong" if any(self.grade(n) == "strong" for n in counted) else "weak"
        star = max(n.day for n in counted if self.grade(n) == best)
        silent = self.silent_later(star, best)
        if silent:
            return Status("CANNOT_DECIDE", silent)
        undated = any(
            t.lesion is None and t.type_ != "other" and t.day is None for t in self.history.treatments
        )
        if undated and self.lesion.disposition != "left-in-situ":
            return Status("CANNOT_DECIDE", "operation-undated", star)
        if best == "weak":
            return Status("APPARENT_DLM", "none", star)
        if self.history.cut:
            return Status("CANNOT_DECIDE", "incomplete-record")
        operated = [n for n in counted if self.grade(n) == "strong" and self.class_of(n) in INTRAOPERATIVE]
        if operated:
            day = max(n.day for n in operated)
            contrast = any(self.class_of(n) == "CEIOUS" for n in operated if n.day == day)
            return Status("MISSING_CEIOUS" if contrast else "MISSING_IOUS", "none", day)
        if self.history.mri_contra not in (None, "none-known", "unknown"):
            return Status("APPARENT_DLM", "none", star)
        return Status("CONFIRMED_DLM", "none", star)

    def nothing_counts(self) -> Status:
        void = [n for n in self.explicit if self.grade(n) == "void"]
        if any(n.day is not None and n.day > self.tx_last for n in void):
            return Status("CANNOT_DECIDE", "quality")
        if any(n.day is None for n in void):
            return Status("CANNOT_DECIDE", "undated")
        if any(z.day is not None and z.day > self.tx_last for z in self.zero):
            return Status("CANNOT_DECIDE", "zero-size")
        later = [e for e in self.silent if e.day is not None and e.day > self.tx_last]
        return Status("CANNOT_DECIDE", self.silence(later) if later else "not-reported")

    @staticmethod
    def silence(exams: list[Exam]) -> str:
        """R-13: unmatched liver observations in the latest silent study make identity the reason."""
        last = max(e.day for e in exams if e.day is not None)
        return "identity" if any(e.unmatched for e in exams if e.day == last) else "not-reported"

    def silent_later(self, star: int, grade: str) -> str | None:
        able = ("MRI", *INTRAOPERATIVE) if grade == "strong" else ("MRI", *INTRAOPERATIVE, "CT")
        if any(z.day is not None and z.day > star and self.class_of(z) in able for z in self.zero):
            return "zero-size"
        later = [e for e in self.silent if e.day is not None and e.day > star]
        strong = [e for e in later if e.class_ in ("MRI", *INTRAOPERATIVE)]
        if strong:
            return self.silence(strong)
        weak = [e for e in later if e.class_ == "CT"]
        return self.silence(weak) if weak and grade == "weak" else None
