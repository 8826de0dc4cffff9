"""A decision on a terminal: lesions over studies, their status, what was not read, and the cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from cds_hooks.cli.terminal import plain, safe
from plugin.decision import Advice, Decision, HistoryEntry, LesionOutcome
from plugin.result import understood

STUDY_WIDTH = 12
LABEL_WIDTH = 14
STYLES = {"critical": "bold white on red", "warning": "bold black on yellow", "info": "bold white on blue"}
SEEN = {
    None: "not named",
    "not-visible": "not seen",
    "not-assessed": "not assessed",
    "indeterminate": "unclear",
}


def print_report(out: Console, decision: Decision, advices: Sequence[Advice]) -> None:
    """Prints what was decided and what would be said."""
    out.print(
        plain(f"Patient {decision.patient}, {decision.today.isoformat()}, rules {decision.pack_revision}")
    )
    for table in study_tables(decision.lesions, out.width):
        out.print()
        out.print(table)
    out.print()
    out.print(status_table(decision.lesions))
    out.print(plain(f"Patient status: {decision.patient_status}"))
    for gap in decision.gaps:
        out.print(plain(f"Not read: {gap.resource} ({gap.reason.value}): {gap.detail}"), style="red")
    counted = ", ".join(f"{count} {name}" for name, count in understood(decision.timeline).items())
    out.print(plain(f"Understood: {counted or 'nothing that bears on liver metastases'}"))
    for line in not_used(decision):
        out.print(plain(line), style="yellow")
    for alarm in decision.alarms:
        out.print(plain(f"Alarm: {alarm.kind}: {alarm.message}"), style="bold red")
    out.print()
    if not advices:
        out.print(plain("No card."))
    for advice in advices:
        print_advice(out, advice)


def not_used(decision: Decision) -> Iterator[str]:
    """Yields a line for each resource that was read and not used, and for each note on one."""
    for refused in decision.timeline.rejected:
        yield _because("Not used", refused.source, refused.reason, refused.detail)
    for note in decision.timeline.notes:
        yield _because("Note", note.source, note.reason, note.detail)


def _because(what: str, source: str, reason: str, detail: str) -> str:
    return f"{what}: {source}: {reason}{f' ({detail})' if detail else ''}"


def study_tables(lesions: Sequence[LesionOutcome], width: int) -> Iterator[Table]:
    """Yields lesions over studies, oldest first, as many studies a table as the width holds."""
    studies = sorted({study_of(entry) for lesion in lesions for entry in lesion.history})
    across = max(1, (width - LABEL_WIDTH) // STUDY_WIDTH)
    for start in range(0, len(studies), across):
        chosen = studies[start : start + across]
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("lesion", width=LABEL_WIDTH - 2, overflow="ellipsis", no_wrap=True)
        for day, modality, _ in chosen:
            table.add_column(plain(f"{day}\n{modality}"), width=STUDY_WIDTH - 1)
        for lesion in lesions:
            cells = [[entry for entry in lesion.history if study_of(entry) == study] for study in chosen]
            table.add_row(plain(lesion.label), *(plain("\n".join(map(seen, cell))) for cell in cells))
        yield table


def study_of(entry: HistoryEntry) -> tuple[str, str, str]:
    """Returns what sorts and names the study of an entry: day, modality, study."""
    return (entry.day.isoformat() if entry.day else "no date", entry.modality or "", entry.study)


def seen(entry: HistoryEntry) -> str:
    """Returns what one study says of one lesion in a few words."""
    if entry.visibility == "visible":
        return f"{entry.mm} mm" if entry.mm is not None else "seen"
    return SEEN.get(entry.visibility) or str(entry.visibility)


def status_table(lesions: Sequence[LesionOutcome]) -> Table:
    """Returns one row a lesion: its status and why."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("lesion", "segment", "status", "as of", "reasons"):
        table.add_column(heading, overflow="fold")
    for lesion in lesions:
        as_of = lesion.as_of.isoformat() if lesion.as_of else ""
        row = (lesion.label, lesion.segment or "", lesion.status, as_of, ", ".join(lesion.reasons))
        table.add_row(*map(plain, row))
    return table


def print_advice(out: Console, advice: Advice) -> None:
    """Prints one card as far as a terminal can show it."""
    out.print(Rule(style="dim"))
    label = Text(f" {advice.indicator.upper()} ", style=STYLES.get(advice.indicator, "bold"))
    out.print(Text.assemble(label, " ", safe(advice.summary)))
    out.print(Padding(Markdown(safe(advice.detail), hyperlinks=False), (1, 0, 0, 0)))
    for suggestion in advice.suggestions:
        mark = " (recommended)" if suggestion.recommended else ""
        out.print(plain(f"Suggestion: {suggestion.label}{mark}"))
    if advice.override_reasons:
        out.print(plain("Override: " + "; ".join(reason.display for reason in advice.override_reasons)))
