"""One JSON line into a record, or the reason why not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import orjson

from gpucurate.ops.compiled import kernel
from gpucurate.spec.reject import RejectReason

_KINDS = {list: "an array", str: "a string", bool: "true or false", type(None): "null", int: "a number",
          float: "a number", dict: "an object"}  # fmt: skip
_BEYOND_64_BITS = 2.0**63


class RecordError(Exception):
    """A line that is rejected."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: RejectReason = reason
        self.detail = detail


def parse_record(line: bytes, max_depth: int) -> dict[str, Any]:
    """The object on one line. The last of equal keys wins.

    Integers beyond 64 bits at the top level keep all their digits.

    Raises:
        RecordError: ``invalid_utf8``, ``too_deep``, ``bad_json`` or ``not_an_object``.
    """
    if line.count(b"{") + line.count(b"[") > max_depth and nesting_depth(line) > max_depth:
        raise RecordError("too_deep", f"nested more than {max_depth} deep")
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _why_not(line, error) from None
    if not isinstance(record, dict):
        raise RecordError("not_an_object", f"the line holds {_KINDS[type(record)]}, not an object")
    rounded = [k for k, v in record.items() if type(v) is float and abs(v) >= _BEYOND_64_BITS]
    if rounded:  # perhaps an integer, which orjson makes a double
        exact = json.loads(line)
        record.update((k, exact[k]) for k in rounded)
    return record


def _why_not(line: bytes, error: orjson.JSONDecodeError) -> RecordError:
    try:
        line.decode()
    except UnicodeDecodeError as bad:
        return RecordError("invalid_utf8", f"not UTF-8: {bad.reason} at byte {bad.start} of the line")
    return RecordError("bad_json", f"not JSON: {str(error).split(': line', 1)[0]} at character {error.pos}")


def check_text(record: dict[str, Any], text_fields: Sequence[str]) -> None:
    """See that each of ``text_fields`` is there and a string.

    Raises:
        RecordError: ``missing_text``, ``null_text`` or ``wrong_type``, for the first that is not.
    """
    for name in text_fields:
        value = record.get(name)
        if isinstance(value, str):
            continue
        if name not in record:
            raise RecordError("missing_text", f"the record has no field {name!r}")
        if value is None:
            raise RecordError("null_text", f"field {name!r} is null")
        raise RecordError("wrong_type", f"field {name!r} is {_KINDS[type(value)]}, not a string")


@kernel
def nesting_depth(line: bytes) -> int:
    """Deepest nesting of brackets outside of strings; of broken JSON, too."""
    depth = 0
    deepest = 0
    in_string = False
    i = 0
    while i < len(line):
        c = line[i]
        if in_string:
            if c == 92:
                i += 1
            elif c == 34:
                in_string = False
        elif c == 34:
            in_string = True
        elif c in (123, 91):
            depth += 1
            deepest = max(deepest, depth)
        elif c in (125, 93):
            depth -= 1
        i += 1
    return deepest
