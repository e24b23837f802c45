"""Of what shape a value of JSON has to be: a damaged file is told of before somebody trips over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Shape: TypeAlias = Any
"""A type or several, a list of a shape, a :class:`Row`, a set of the values that there are, an object with at
least these keys, or one of any keys (``*``).

Of a key with ``?`` at its end, the value if there is one."""


@dataclass(frozen=True)
class Row:
    """A list of as many values as shapes.

    Attributes:
        shapes: of each value.
    """

    shapes: tuple[Shape, ...]


def check_shape(value: Any, shape: Shape, where: str = "it") -> None:
    """See that a value of JSON is of a shape.

    Raises:
        ValueError: it is not; the message names the first place.
    """
    if isinstance(shape, Row):
        _check_row(value, shape, where)
    elif isinstance(shape, frozenset):
        _check_type(value, str, where)
        if value not in shape:
            raise ValueError(f"{where} is {value[:40]!r}")
    elif isinstance(shape, list):
        _check_type(value, list, where)
        for i, each in enumerate(value):
            check_shape(each, shape[0], f"{where}[{i}]")
    elif isinstance(shape, Mapping):
        _check_object(value, shape, where)
    else:
        _check_type(value, shape, where)


def _check_row(value: Any, row: Row, where: str) -> None:
    _check_type(value, list, where)
    if len(value) != len(row.shapes):
        raise ValueError(f"{where} has {len(value)} values instead of {len(row.shapes)}")
    for i, (each, shape) in enumerate(zip(value, row.shapes, strict=True)):
        check_shape(each, shape, f"{where}[{i}]")


def _check_object(value: Any, shape: Mapping[str, Shape], where: str) -> None:
    _check_type(value, dict, where)
    of_any = shape.get("*")
    for name, below in ((k, of_any) for k in value) if of_any else shape.items():
        key = name if of_any else name.removesuffix("?")
        if key in value:
            check_shape(value[key], below, f"{where}.{key}")
        elif key == name:
            raise ValueError(f"{where} has no {key!r}")


def _check_type(value: Any, wanted: type | tuple[type, ...], where: str) -> None:
    if not isinstance(value, wanted):
        raise ValueError(f"{where} is of type {type(value).__name__}")
