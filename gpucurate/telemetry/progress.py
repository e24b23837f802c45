"""Progress on the terminal: a live line where there is one, plain lines where not."""

from __future__ import annotations

import time

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.redaction import shown
from gpucurate.spec.unit import UnitResult
from gpucurate.telemetry.memory_watch import MemoryWatch

PLAIN_SECONDS = 5.0
"""Without a terminal, a line so often."""


class _Figures(ProgressColumn):
    def __init__(self, watch: MemoryWatch) -> None:
        super().__init__()
        self._watch = watch

    def render(self, task: Task) -> Text:
        """Rate, documents and memory."""
        speed = task.finished_speed or task.speed
        rate = f"{format_bytes(speed)}/s" if speed else "-"
        documents = task.fields["documents"]
        return Text(f"{rate}  {documents:,} docs  mem {format_bytes(self._watch.current)}")


class TerminalProgress:
    """An observer that shows each phase as it goes.

    Args:
        console: where to write; standard error, so that output can be piped.
        watch: of the run's memory.
    """

    def __init__(self, console: Console, watch: MemoryWatch) -> None:
        self.console = console
        self.watch = watch
        self._live: Progress | None = None
        self._name = ""
        self._documents = 0
        self._bytes = 0
        self._total = 0
        self._began = 0.0
        self._said = 0.0

    def phase_started(
        self, name: str, units: int, total_bytes: int, done_units: int, done_bytes: int
    ) -> None:
        """Begin a bar."""
        self._name, self._documents, self._bytes, self._total = name, 0, done_bytes, max(1, total_bytes)
        self._began = self._said = time.monotonic()
        if done_units:
            self.console.print(
                f"{escape(name)}: {done_units:,} of {units:,} units were done by an earlier run"
            )
        if self.console.is_terminal:
            self._live = Progress(
                TextColumn("{task.description:<10}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%"),
                _Figures(self.watch),
                TimeElapsedColumn(),
                TextColumn("ETA"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._live.start()
            self._live.add_task(escape(name), total=self._total, completed=done_bytes, documents=0)

    def unit_committed(self, result: UnitResult, input_bytes: int) -> None:
        """Move on by a unit."""
        self._documents += result.books.read
        self._bytes += input_bytes
        if self._live:
            self._live.update(self._live.task_ids[0], advance=input_bytes, documents=self._documents)
        elif time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            self.console.print(self._plain_line(), highlight=False)

    def _plain_line(self) -> str:
        seconds = time.monotonic() - self._began
        rate = self._bytes / seconds if seconds else 0.0
        left = (self._total - self._bytes) / rate if rate else 0.0
        return (
            f"{self._name}: {100 * self._bytes / self._total:.0f}%, {self._documents:,} docs, "
            f"{format_bytes(rate)}/s, ETA {left:.0f} s, memory {format_bytes(self.watch.current)}"
        )

    def trouble(self, message: str) -> None:
        """Say what failed, above the bar."""
        (self._live.console if self._live else self.console).print(f"[yellow]{escape(shown(message))}[/]")

    def note(self, message: str) -> None:
        """Say what is going on."""
        (self._live.console if self._live else self.console).print(escape(shown(message)))

    def phase_ended(self, name: str) -> None:
        """End the bar."""
        if self._live:
            self._live.stop()
            self._live = None
