"""Rows of the table: what was measured, beside its ceiling and its goal."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

MARK = "ROW "
"""Begins each line of a section's standard output that is a row."""

HEADS = ("section", "what", "figure", "kernels alone", "ceiling", "share", "spread", "goal", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, or why there is none.

    Attributes:
        section: that measured it.
        name: what was measured.
        figure: median, whole call, host included; None if there is none.
        unit: of the figure, and of what stands beside it.
        kernels: the same, from the time that kernels ran alone.
        ceiling: what the device could do at most, measured in the same run.
        goal: what the figure should reach.
        spread: slowest less fastest run, as a share of the median.
        note: in words.
        error: why it failed.
        skipped: why it was not tried.
    """

    section: str
    name: str
    figure: float | None = None
    unit: str = "GB/s"
    kernels: float | None = None
    ceiling: float | None = None
    goal: float | None = None
    spread: float | None = None
    note: str = ""
    error: str = ""
    skipped: str = ""

    @property
    def share(self) -> float | None:
        """Of the ceiling: of the kernels alone if those were timed."""
        best = self.figure if self.kernels is None else self.kernels
        return best / self.ceiling if best is not None and self.ceiling else None

    @property
    def verdict(self) -> str:
        """Whether the goal is reached, by the whole call or by its kernels."""
        if self.goal is None or self.figure is None:
            return ""
        if self.figure >= self.goal:
            return "ok"
        return "missed, ok by its kernels alone" if (self.kernels or 0) >= self.goal else "missed"

    def cells(self) -> list[str]:
        """As text, under ``HEADS``."""
        goal = "" if self.goal is None else f"{number(self.goal)} {self.unit}: {self.verdict or 'no figure'}"
        why = f"failed: {self.error}" if self.error else f"skipped: {self.skipped}" if self.skipped else ""
        return [
            self.section,
            self.name,
            "-" if self.figure is None else f"{number(self.figure)} {self.unit}",
            "" if self.kernels is None else number(self.kernels),
            "" if self.ceiling is None else number(self.ceiling),
            "" if self.share is None else f"{self.share:.0%}",
            "" if self.spread is None else f"{self.spread:.0%}",
            goal,
            "; ".join(filter(None, (why, self.note))),
        ]

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON, with share and verdict."""
        return {**asdict(self), "share": self.share, "verdict": self.verdict}


def row_of(values: dict[str, object]) -> Row:
    """The row that ``to_dict`` gave."""
    return Row(**{key: value for key, value in values.items() if key not in ("share", "verdict")})  # type: ignore[arg-type]


def number(value: float) -> str:
    """Three digits that count, thousands apart.

    >>> number(0.01234), number(5.678), number(127.4), number(4321.0)
    ('0.0123', '5.68', '127', '4,321')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: Iterable[Row]) -> str:
    """Rows as Markdown."""
    lines = [HEADS, ("---",) * len(HEADS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |" for cells in lines)


class Report:
    """Where a section puts its rows, one by one, as they are measured."""

    def __init__(self, section: str) -> None:
        self.section = section

    def row(self, name: str, figure: float | None = None, **values: object) -> Row:
        """Print a row for whoever started the section."""
        row = Row(section=self.section, name=name, figure=figure, **values)  # type: ignore[arg-type]
        print(MARK + json.dumps(row.to_dict()), flush=True)
        return row

    def attempt(self, name: str, measure: Callable[[], object]) -> None:
        """Do it, or print a row that says why it failed: the rows after it are measured all the same."""
        try:
            measure()
        except Exception as error:
            traceback.print_exc()
            self.row(name, error=in_short(error))


def in_short(error: BaseException) -> str:
    """Kind and first line of an error."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}"[:300]
