"""A line of text for a document that is known by its id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from gpucurate.io.limits import ReadLimits
from gpucurate.io.reader import read_range
from gpucurate.spec.source import FileRange

LINE_CHARACTERS = 80
PIECE_BYTES = 1 << 20
LARGEST_PACKED = 32 << 20


def first_line(source: FileRange, record: int, text_field: str, limits: ReadLimits) -> str:
    """The beginning of a document, on one line; arguments as :func:`document_text`."""
    return shorten(document_text(source, record, text_field, limits))


def document_text(source: FileRange, record: int, text_field: str, limits: ReadLimits) -> str:
    """The text of a document; empty where that is far to look for.

    Args:
        source: the range that holds it.
        record: its physical record, counted from the start of the range.
        text_field: the column of text.
        limits: as the documents were read.
    """
    if source.file.compression != "none" and source.file.size > LARGEST_PACKED:
        return ""  # it would have to be unpacked from its start
    found = find_record(source, record, text_field, limits, text_fields=[text_field])
    return "" if found is None else str(found.column(text_field)[0].as_py())


def find_record(
    source: FileRange, record: int, field: str, limits: ReadLimits, *, text_fields: Sequence[str] = ()
) -> pa.Table | None:
    """One field of one document, as a table of a row; None where the range ends before it.

    Args:
        source: the range that holds it.
        record: its physical record, counted from the start of the range; one that was accepted.
        field: which.
        limits: as the documents were read.
        text_fields: as of :func:`~gpucurate.io.reader.read_range`.
    """
    pieces = read_range(
        source,
        fields=[field],
        text_fields=text_fields,
        piece_bytes=PIECE_BYTES,
        keep_original=False,
        limits=limits,
    )
    for piece in pieces:
        if record < piece.first_record + piece.num_records:
            return piece.table.slice(int(np.searchsorted(piece.records, record)), 1)
    return None


def shorten(text: str) -> str:
    """White space collapsed, control characters out, at most 80 characters."""
    words = " ".join(text[: 20 * LINE_CHARACTERS].split())
    line = "".join(c for c in words if c.isprintable())
    return line if len(line) <= LINE_CHARACTERS else f"{line[: LINE_CHARACTERS - 1]}…"


def locate(id_: int, bases: Sequence[int], ranges: Sequence[FileRange]) -> tuple[FileRange, int]:
    """The range that holds a record, and the record's place in it.

    Args:
        id_: of the record.
        bases: id of the first record of each range, ascending.
        ranges: in the same order.
    """
    at = int(np.searchsorted(np.asarray(bases), id_, side="right")) - 1
    return ranges[at], id_ - bases[at]
