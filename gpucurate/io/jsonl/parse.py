"""Lines of a chunk into a table and rejects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.io.jsonl.columns import column_of
from gpucurate.io.jsonl.record import RecordError, check_text, parse_record

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parsed:
    """Outcome of parsing ``n`` lines.

    Attributes:
        table: one row per accepted line.
        accepted: bool[n].
        errors: index of the line and why it was rejected, in order.
    """

    table: pa.Table
    accepted: npt.NDArray[np.bool_]
    errors: list[tuple[int, RecordError]]


def parse_lines(
    data: npt.NDArray[np.uint8],
    starts: Lines,
    stops: Lines,
    *,
    fields: Sequence[str] | None,
    text_fields: Sequence[str],
    max_depth: int,
) -> Parsed:
    """Parse line by line with orjson: the reference for what is accepted.

    Args:
        data: uint8, the bytes.
        starts: int64[n], first byte of each line.
        stops: int64[n], end of each line.
        fields: columns of the table; None for all keys, in the order in which they appear.
        text_fields: columns that must be strings.
        max_depth: deepest nesting.
    """
    records, accepted, errors = parse_records(data, starts, stops, text_fields, max_depth)
    names = list(dict.fromkeys(k for r in records for k in r)) if fields is None else list(fields)
    columns: list[pa.Array] = []
    for name in names:
        values = [record.get(name) for record in records]
        columns.append(pa.array(values, pa.large_string()) if name in text_fields else column_of(values))
    return Parsed(pa.table(columns, names=names), accepted, errors)


def parse_records(
    data: npt.NDArray[np.uint8], starts: Lines, stops: Lines, text_fields: Sequence[str], max_depth: int
) -> tuple[list[dict[str, Any]], npt.NDArray[np.bool_], list[tuple[int, RecordError]]]:
    """The records of the accepted lines, which lines those are, and the errors of the others."""
    view = data.data
    accepted = np.ones(len(starts), np.bool_)
    records: list[dict[str, Any]] = []
    errors: list[tuple[int, RecordError]] = []
    for i, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        try:
            record = parse_record(view[start:stop].tobytes(), max_depth)
            check_text(record, text_fields)
        except RecordError as error:
            accepted[i] = False
            # Not the one that was raised, which holds on to frames and to copies of the line.
            errors.append((i, RecordError(error.reason, error.detail)))
        else:
            records.append(record)
    return records, accepted, errors
