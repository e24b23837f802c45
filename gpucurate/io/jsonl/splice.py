"""Set fields of JSON lines and leave every other byte as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from gpucurate.io.piece import LinesOriginal

_SET = orjson.OPT_SERIALIZE_NUMPY


def set_fields(lines: LinesOriginal, columns: Mapping[str, Sequence[Any]]) -> LinesOriginal:
    """Lines with fields added or replaced.

    A field that a line does not name is put before its closing brace. A line that names
    one already is parsed and written anew, the field in its old place.

    Args:
        lines: n JSON objects.
        columns: n values for each field name.

    Returns:
        Lines in memory of their own.
    """
    quoted = [orjson.dumps(name) for name in columns]
    made = [
        _set_in_line(lines.line(i), quoted, dict(zip(columns, values, strict=True)))
        for i, values in enumerate(zip(*columns.values(), strict=True))
    ]
    stops = np.cumsum([len(line) + 1 for line in made], dtype=np.int64) if made else np.zeros(0, np.int64)
    starts = np.concatenate(([0], stops[:-1])).astype(np.int64) if made else stops
    data = np.frombuffer(b"".join(line + b"\n" for line in made), np.uint8)
    return LinesOriginal(data, starts, stops - 1)


def _set_in_line(line: bytes, quoted: list[bytes], values: dict[str, Any]) -> bytes:
    if any(name in line for name in quoted):
        return orjson.dumps({**orjson.loads(line), **values}, option=_SET)
    body = line.rstrip()[:-1].rstrip()
    comma = b"" if body.endswith(b"{") and not body[:-1].strip() else b","
    return body + comma + orjson.dumps(values, option=_SET)[1:]
