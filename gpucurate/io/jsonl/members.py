"""Members of one JSON object: found by name however that is spelled, replaced, added."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import orjson

from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.names import RESERVED_PREFIX

_SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]')


def pattern_of(names: Iterable[str]) -> re.Pattern[bytes]:
    """What a line holds that has one of the names, as a key or within a text."""
    return re.compile(b'"(?:%b)"' % b"|".join(map(_spellings, names)))


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


def set_in_line(line: bytes, named: re.Pattern[bytes], values: dict[str, bytes]) -> bytes:
    """One line with members added or replaced.

    Args:
        line: a JSON object.
        named: :func:`pattern_of` the names.
        values: JSON of each value, by name.

    Raises:
        ConfigurationError: it has a member already whose name is reserved.
    """
    if named.search(line):  # as a key, or within a text
        given = values
        line, values = _replace_values(line, given)
        refuse_reserved(name for name in given if name not in values)
    if not values:
        return line
    body = line.rstrip()[:-1].rstrip()
    comma = b"" if body.endswith(b"{") and not body[:-1].strip() else b","
    return body + comma + b",".join(key_of(name) + value for name, value in values.items()) + b"}"


def key_of(name: str) -> bytes:
    """A name as the key of a member, with its colon."""
    return orjson.dumps(name) + b":"


def _replace_values(line: bytes, values: dict[str, bytes]) -> tuple[bytes, dict[str, bytes]]:
    """The line with the values of members that it has put in place, and the members it lacks."""
    parts: list[bytes] = []
    written = 0
    absent = dict(values)
    for name, start, stop in _members(line):
        if name in values:
            parts += [line[written:start], values[name]]
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
