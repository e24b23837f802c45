"""Set fields of JSON lines and leave every other byte as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gpucurate.io.jsonl.append import Bytes, Offsets, append_fields, lines_with
from gpucurate.io.jsonl.members import pattern_of, set_in_line
from gpucurate.io.jsonl.render import Rendered, json_values
from gpucurate.io.piece import LinesOriginal


def set_fields(lines: LinesOriginal, columns: Mapping[str, Any]) -> LinesOriginal:
    """Lines with fields added or replaced.

    A field that a line does not have is put before its closing brace. Of one that it has
    already, only the value is replaced; where a name stands twice, both.

    Args:
        lines: n JSON objects.
        columns: n values for each field name: Arrow, or a sequence of Python values.

    Returns:
        Lines in memory of their own.

    Raises:
        ConfigurationError: a line has a field already whose name is reserved.
    """
    rendered = {name: json_values(values) for name, values in columns.items()}
    rows = np.flatnonzero(lines_with(lines, list(columns)))
    return append_fields(lines, rendered, rows, *_one_by_one(lines, rendered, rows))


def _one_by_one(
    lines: LinesOriginal, columns: Mapping[str, Rendered], rows: Offsets
) -> tuple[Bytes, Offsets]:
    """Some lines that may have the fields already, with them: bytes, and int64[len(rows)+1] offsets."""
    named = pattern_of(columns)
    made = [
        set_in_line(lines.line(i), named, {name: values.value(i) for name, values in columns.items()})
        for i in rows.tolist()
    ]
    offsets = np.zeros(len(made) + 1, np.int64)
    np.cumsum([len(line) for line in made], out=offsets[1:])
    return np.frombuffer(b"".join(made), np.uint8), offsets
