"""A stage's figures as the values that JSON has, so that they are the same when read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gpucurate.frame.transfers import download, is_on_device

SMALLEST, LARGEST = -(2**63), 2**64 - 1
"""Integers that the commit log carries."""


def plain(value: Any, at: str = "value") -> Any:
    """A copy of ``value`` made of None, bool, int, float, str, list and dict with text keys.

    Tuples and arrays, of a device too, become lists; numbers of NumPy become Python's.

    Args:
        value: what to copy.
        at: what messages call it.

    Raises:
        TypeError: something in it has no such form, such as a set, a key that is not text, an
            integer beyond 64 bits, a NaN; the message says where it stands.

    >>> plain({"sizes": np.arange(3), "mean": np.float64(0.5)})
    {'sizes': [0, 1, 2], 'mean': 0.5}
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _integer(int(value), at)
    if isinstance(value, float):
        return _number(float(value), at)
    if isinstance(value, str):
        return _text(value, at)
    if isinstance(value, np.ndarray | np.generic) or is_on_device(value):
        return _array(download(value) if is_on_device(value) else value, at)
    if isinstance(value, Mapping):
        return {_key(key, at): plain(item, f"{at}[{key!r}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{at}[{i}]") for i, item in enumerate(value)]
    raise TypeError(
        f"{at} is a {type(value).__name__}, which JSON has not: give numbers, text, lists and dicts with "
        "text keys"
    )


def _integer(value: int, at: str) -> int:
    if not SMALLEST <= value <= LARGEST:
        raise TypeError(f"{at} is {value}, an integer beyond 64 bits: give a float, or text")
    return value


def _number(value: float, at: str) -> float:
    if not math.isfinite(value):
        raise TypeError(f"{at} is {value}, which JSON has not: give None where there is no number")
    return value


def _text(value: str, at: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise TypeError(f"{at} is text that is not Unicode ({error}): encode it first") from error
    return str(value)


def _key(key: Any, at: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{at} has the key {key!r}, and keys are text in JSON: give str({key!r})")
    return _text(key, f"a key of {at}")


def _array(value: Any, at: str) -> Any:
    if value.dtype.kind in "biu":  # nothing in it can be amiss
        return value.tolist()
    if value.dtype.kind in "fOU":
        return plain(value.tolist(), at)
    raise TypeError(f"{at} is an array of {value.dtype}, which JSON has not: give numbers or text")
