"""Small files of a run folder, and what those must hold that are read by more than comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson

Shape: TypeAlias = Any
"""A type or several, a list of a shape, an object with at least these keys, or one of any keys (``*``).

Of a key with ``?`` at its end, the value if there is one."""

_NUMBER = (int, float)
_COUNTS: Shape = {"*": int}

BOOKS: Shape = {
    "read": int, "kept": int, "quarantined": int, "blank": int, "dropped": _COUNTS, "rejected": _COUNTS,
    "added": _COUNTS,
}  # fmt: skip

_REPORT: Shape = {
    "name": str, "executor": str, "started": str, "seconds": _NUMBER, "input_bytes": int,
    "output_files": int,
    "output_bytes": int, "peak_memory_bytes": int, "books": BOOKS, "counts": {"*": _NUMBER},
    "quarantined": [dict], "warnings": [str], "ignored": [[str]],
    "phases": [{"name": str, "seconds": _NUMBER}],
}  # fmt: skip

_SHAPES: dict[str, Shape] = {
    "run.json": {"kind": str, "decides": dict, "format?": int, "input?": {"digest": str}},
    "manifest.json": {"files": [{"name": str, "rows": int, "bytes": int, "checksum": str}]},
    "report.json": _REPORT,
    "_SUCCESS": {"files": [{"name": str, "bytes": int, "checksum": str}]},
    "lock": {"pid": int, "host": str, "since?": _NUMBER},
    "phases/": {"fingerprint": str, "decides": dict, "units": int},
}


def plan_name(phase: str) -> str:
    """The file of a phase's plan."""
    return f"phases/{phase}.json"


def parse_state(name: str, content: bytes) -> Any:
    """What a small file of the run folder holds.

    Args:
        name: in the run folder.
        content: its bytes.

    Raises:
        ValueError: not JSON, or not what a file of this name holds; the message says what is wrong.
    """
    values = orjson.loads(content)
    shape = _SHAPES.get(name) or _SHAPES.get(name.partition("/")[0] + "/")
    if shape is not None:
        check_shape(values, shape)
    return values


def check_shape(value: Any, shape: Shape, where: str = "it") -> None:
    """See that a value of JSON is of a shape.

    Raises:
        ValueError: it is not; the message names the first place.
    """
    if isinstance(shape, list):
        _check_type(value, list, where)
        for i, each in enumerate(value):
            check_shape(each, shape[0], f"{where}[{i}]")
    elif isinstance(shape, Mapping):
        _check_type(value, dict, where)
        of_any = shape.get("*")
        for name, below in ((k, of_any) for k in value) if of_any else shape.items():
            key = name if of_any else name.removesuffix("?")
            if key in value:
                check_shape(value[key], below, f"{where}.{key}")
            elif key == name:
                raise ValueError(f"{where} has no {key!r}")
    else:
        _check_type(value, shape, where)


def _check_type(value: Any, wanted: type | tuple[type, ...], where: str) -> None:
    if not isinstance(value, wanted):
        raise ValueError(f"{where} is of type {type(value).__name__}")
