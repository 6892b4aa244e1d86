"""`bursar import catalogue`: a bar while it runs, then what became of every line."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from app.wiring import Wiring
from services.kernel.actor import system
from services.marketplace.catalogue_import import ImportReport, Verdict, import_catalogue

_COMMAND = system("command line")


def take_in(wired: Wiring, *, file: Path, instructor: str) -> None:
    """Import a catalogue for one instructor and print the report; refused as the import is."""
    console = Console()
    with Progress(
        TextColumn("Importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console
    ) as bar:
        task = bar.add_task("", total=None)
        report = import_catalogue(
            wired.works,
            actor=_COMMAND,
            file=file,
            instructor_email=instructor,
            progress=lambda done, size: bar.update(task, completed=done, total=size),
        )
    _print(report, console)


def _print(report: ImportReport, console: Console) -> None:
    if report.remarks:
        lines = Table("line", "verdict", "column", "reason", title="Lines to look at")
        for remark in report.remarks:
            lines.add_row(str(remark.line), remark.verdict, remark.column, Text(remark.reason))
        console.print(lines)
    if report.unlisted_count:
        console.print(f"… and {report.unlisted_count:,} more.")
    counts = Table("verdict", "rows")
    counts.columns[1].justify = "right"
    for verdict in Verdict:
        counts.add_row(verdict, f"{report.counts.get(verdict, 0):,}")
    console.print(counts)
