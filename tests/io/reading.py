"""Reading a file in a test: all rows, rejects and notes together."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import Any

from gpucurate.frame import table as frame
from gpucurate.io.limits import ReadLimits
from gpucurate.io.listing import list_input
from gpucurate.io.piece import LinesOriginal, Piece
from gpucurate.io.ranges import split_file
from gpucurate.io.reader import read_range
from gpucurate.spec.source import FileRange, InputFile

WHOLE = 1 << 60


@dataclass
class Outcome:
    """What a file gave, its ranges joined."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    originals: list[bytes] = field(default_factory=list)
    rejects: list[tuple[str, int | None, int | None, str, bytes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    num_records: int = 0
    num_blank: int = 0
    pieces: list[Piece] = field(default_factory=list)

    @property
    def reasons(self) -> list[tuple[str, int | None]]:
        """Reason and line of each reject."""
        return [(reason, line) for reason, line, *_ in self.rejects]

    @property
    def texts(self) -> list[str]:
        return [row["text"] for row in self.rows]

    def add(self, piece: Piece, base: int) -> None:
        assert piece.num_rows == len(piece.records)
        with_line = [r for r in piece.rejects if r.line is not None]
        assert piece.num_records == piece.num_rows + piece.num_blank + len(with_line)
        assert piece.first_record + base == self.num_records
        table = frame.to_arrow(piece.table)
        assert table.num_columns == 0 or table.num_rows == piece.num_rows
        self.pieces.append(piece)
        self.rows += table.to_pylist()
        self.records += [base + int(r) for r in piece.records]
        if isinstance(piece.original, LinesOriginal):
            self.originals += [piece.original.line(i) for i in range(len(piece.original))]
        self.rejects += [
            (r.reason, None if r.line is None else base + r.line, r.offset, r.detail, r.snippet)
            for r in piece.rejects
        ]
        self.notes += piece.notes
        self.num_records += piece.num_records
        self.num_blank += piece.num_blank


def the_file(path: str | PathLike[str]) -> InputFile:
    (file,) = list_input([path]).files
    return file


def read_ranges(ranges: tuple[FileRange, ...], **options: Any) -> Outcome:
    chosen: dict[str, Any] = {"fields": ("text",), "text_fields": ("text",), "keep_original": True, **options}
    outcome = Outcome()
    for source in ranges:
        base = outcome.num_records
        for piece in read_range(source, **chosen):
            outcome.add(piece, base)
    return outcome


def read(path: str | PathLike[str], unit: int = WHOLE, **options: Any) -> Outcome:
    return read_ranges(split_file(the_file(path), unit), **options)


__all__ = ["WHOLE", "Outcome", "ReadLimits", "read", "read_ranges", "the_file"]
