"""Named fields of JSON lines on a device; lines that are unusual are parsed on the host, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.frame.device_table import DeviceTable
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import array_module, depart, download, upload
from gpucurate.io.host_work import LeaveToHost
from gpucurate.io.jsonl.parse import parse_records
from gpucurate.io.jsonl.record import RecordError
from gpucurate.ops.json_lines import (
    ESCAPED,
    KIND,
    OTHER,
    PLAIN,
    copy_strings,
    find_lines,
    scan_fields,
)

MOST_UNUSUAL = 8
"""Where more than one line in so many is unusual, all are parsed on the host at once."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DeviceLines:
    """What is found in a chunk of whole lines.

    Attributes:
        table: the fields, of the accepted lines, on the device.
        lines: how many there are.
        blank: how many of them are blank.
        accepted: int64, which lines are rows; None for all.
        too_large: which lines are longer than allowed, with where they begin and end.
        errors: which lines are rejected otherwise and why, with where they begin and end.
        starts: int64, on the device, first byte of each accepted line.
        stops: int64, there, its end.
    """

    table: DeviceTable
    lines: int
    blank: int
    accepted: Places | None
    too_large: list[tuple[int, int, int]]
    errors: list[tuple[int, int, int, RecordError]]
    starts: Any
    stops: Any


def read_lines(
    data: npt.NDArray[np.uint8],
    on_device: Any,
    *,
    fields: Sequence[str],
    text_fields: Sequence[str],
    max_depth: int,
    max_record_bytes: int,
) -> DeviceLines:
    """Find what :func:`~gpucurate.io.jsonl.fast.parse_fields` does, in tables of the device.

    Args:
        data: uint8, whole lines, on the host.
        on_device: the same on the device.
        fields: columns of the table, 1 to 16.
        text_fields: those that must be strings.
        max_depth: deepest nesting.
        max_record_bytes: longer lines are too large.

    Raises:
        LeaveToHost: a field that holds something other than strings, or many unusual lines.
    """
    chunk = _Chunk(data, on_device, list(fields))
    chunk.scan(text_fields, max_depth)
    return chunk.resolve(text_fields, max_depth, max_record_bytes)


class _Chunk:
    """A chunk whose bytes are on both sides."""

    def __init__(self, data: npt.NDArray[np.uint8], on_device: Any, fields: list[str]) -> None:
        self.host, self.data, self.fields = data, on_device, fields
        self.xp = array_module()

    def scan(self, text_fields: Sequence[str], max_depth: int) -> None:
        """Find lines, and their fields."""
        xp = self.xp
        self.starts, raw_stops, self.blank = find_lines(self.data)
        ends_with_cr = (raw_stops > self.starts) & (self.data[xp.maximum(raw_stops - 1, 0)] == 13)
        self.raw_stops, self.stops = raw_stops, raw_stops - ends_with_cr
        self.found, self.usual = scan_fields(
            self.data, self.starts, self.stops, self.fields, max_depth=max_depth
        )
        for name in text_fields:
            kinds = self.found[:, self.fields.index(name), KIND]
            self.usual &= (kinds == PLAIN) | (kinds == ESCAPED)
        self.usual &= ~self.blank

    def resolve(self, text_fields: Sequence[str], max_depth: int, max_record_bytes: int) -> DeviceLines:
        """Parse what is unusual, and make the table."""
        xp, lines = self.xp, len(self.starts)
        large = ~self.blank & (self.raw_stops - self.starts > max_record_bytes)
        self.usual &= ~large
        slow = download(xp.flatnonzero(~(self.usual | self.blank)))
        if len(slow) * MOST_UNUSUAL > lines:
            raise LeaveToHost("lines of unusual JSON")
        is_large, starts, stops, raw_stops = self._slow_lines(slow, large)
        self._check_kinds(set(self.fields) - set(text_fields))
        parsed, begins, ends = (column[~is_large] for column in (slow, starts, stops))
        records, fits, errors = parse_records(self.host, begins, ends, text_fields, max_depth)
        depart("lines of unusual JSON", len(parsed))
        if len(records):
            self.usual[upload(parsed[fits])] = True
            self._enter(parsed[fits], records)
        blank = int(self.blank.sum())
        all_rows = blank + len(errors) + np.count_nonzero(is_large) == 0
        rows = slice(None) if all_rows else self.usual
        return DeviceLines(
            self._table(rows, text_fields),
            lines,
            blank,
            None if all_rows else download(xp.flatnonzero(self.usual)),
            [(int(slow[i]), int(starts[i]), int(raw_stops[i])) for i in np.flatnonzero(is_large)],
            [(int(parsed[i]), int(begins[i]), int(ends[i]), error) for i, error in errors],
            self.starts[rows],
            self.stops[rows],
        )

    def _slow_lines(self, slow: Places, large: Any) -> tuple[Any, Places, Places, Places]:
        """Of the unusual lines, which are too large, and where they begin and end."""
        if not len(slow):
            return np.zeros(0, bool), slow, slow, slow
        places = upload(slow)
        columns = large, self.starts, self.stops, self.raw_stops
        is_large, *bounds = (download(column[places]) for column in columns)
        return is_large, bounds[0], bounds[1], bounds[2]

    def _check_kinds(self, others: set[str]) -> None:
        """Leave columns of other things than strings to the host, which finds their types."""
        for name in others:
            kinds = self.found[:, self.fields.index(name), KIND][self.usual]
            if bool((kinds == OTHER).any()) or not bool(((kinds == PLAIN) | (kinds == ESCAPED)).any()):
                raise LeaveToHost(f"field {name} holds more than strings")

    def _enter(self, lines: Places, records: list[dict[str, Any]]) -> None:
        """Put the strings of parsed records behind the data, as if they had been found there."""
        tail, size, places = [], len(self.data), upload(lines)
        for f, name in enumerate(self.fields):
            entries = np.zeros((len(lines), 4), np.int64)
            for entry, record in zip(entries, records, strict=True):
                value = record.get(name)
                if isinstance(value, str):
                    raw = value.encode()
                    entry[:] = PLAIN, size, size + len(raw), len(raw)
                    tail.append(raw)
                    size += len(raw)
                elif value is not None:
                    raise LeaveToHost(f"field {name} holds more than strings")
            self.found[places, f] = upload(entries)
        more = np.frombuffer(b"".join(tail), np.uint8)
        self.data = self.xp.concatenate([self.data, upload(more)])

    def _table(self, rows: Any, text_fields: Sequence[str]) -> DeviceTable:
        found, columns = self.found[rows], {}
        for f, name in enumerate(self.fields):
            data, offsets, valid = copy_strings(self.data, found[:, f])
            whole = name in text_fields or bool(valid.all())
            columns[name] = TextBuffers(data, offsets, None if whole else valid)
        return DeviceTable(columns, len(found))
