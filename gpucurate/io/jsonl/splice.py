"""Set fields of JSON lines and leave every other byte as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from gpucurate.io.piece import LinesOriginal
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.names import RESERVED_PREFIX

_SET = orjson.OPT_SERIALIZE_NUMPY
_SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]')


def set_fields(lines: LinesOriginal, columns: Mapping[str, Sequence[Any]]) -> LinesOriginal:
    """Lines with fields added or replaced.

    A field that a line does not have is put before its closing brace. Of one that it has
    already, only the value is replaced; where a name stands twice, both.

    Args:
        lines: n JSON objects.
        columns: n values for each field name.

    Returns:
        Lines in memory of their own.

    Raises:
        ConfigurationError: a line has a field already whose name is reserved.
    """
    named = re.compile(b'"(?:%b)"' % b"|".join(map(_spellings, columns)))
    made = [
        _set_in_line(lines.line(i), named, dict(zip(columns, values, strict=True)))
        for i, values in enumerate(zip(*columns.values(), strict=True))
    ]
    stops = np.cumsum([len(line) + 1 for line in made], dtype=np.int64) if made else np.zeros(0, np.int64)
    starts = np.concatenate(([0], stops[:-1])).astype(np.int64) if made else stops
    data = np.frombuffer(b"".join(line + b"\n" for line in made), np.uint8)
    return LinesOriginal(data, starts, stops - 1)


def refuse_reserved(names: Iterable[str]) -> None:
    """Refuse to replace fields of names that only gpucurate gives.

    Raises:
        ConfigurationError: one of them is reserved.
    """
    for name in names:
        if name.startswith(RESERVED_PREFIX):
            raise ConfigurationError(
                f"a record has a field {name!r} already, which is one that is to be added: rename it first"
            )


def _spellings(name: str) -> bytes:
    """Pattern of all ways to write a name in JSON: any of its characters may be escaped."""
    return b"".join(b"(?:%b)" % b"|".join(_ways(character)) for character in name)


def _ways(character: str) -> Iterator[bytes]:
    units = character.encode("utf-16-be").hex()
    yield b"".join(rb"\\u(?i:%b)" % units[at : at + 4].encode() for at in range(0, len(units), 4))
    if character in _SHORT:
        yield re.escape(b"\\" + _SHORT[character].encode())
    if character >= " " and character not in '"\\':
        yield re.escape(character.encode())


def _set_in_line(line: bytes, named: re.Pattern[bytes], values: dict[str, Any]) -> bytes:
    if named.search(line):  # as a key, or within a text
        given = values
        line, values = _replace_values(line, given)
        refuse_reserved(name for name in given if name not in values)
    if not values:
        return line
    body = line.rstrip()[:-1].rstrip()
    comma = b"" if body.endswith(b"{") and not body[:-1].strip() else b","
    return body + comma + orjson.dumps(values, option=_SET)[1:]


def _replace_values(line: bytes, values: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The line with the values of members that it has put in place, and the members it lacks."""
    parts: list[bytes] = []
    written = 0
    absent = dict(values)
    for name, start, stop in _members(line):
        if name in values:
            parts += [line[written:start], orjson.dumps(values[name], option=_SET)]
            written = stop
            absent.pop(name, None)
    return b"".join([*parts, line[written:]]), absent


def _members(line: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, and start and end of the value, of each member of a valid JSON object, not of those inside."""
    depth, name, start, last = 0, "", 0, (0, 0)
    for token in _TOKEN.finditer(line):
        mark = line[token.start() : token.start() + 1]
        if mark in b"{[":
            depth += 1
        elif depth == 1 and mark == b":":
            name, start = orjson.loads(line[slice(*last)]), token.end()
        elif depth == 1 and mark in b",}":
            if name or start:
                yield name, start, token.start()
            name, start = "", 0
        if mark in b"]}":
            depth -= 1
        last = token.span()
