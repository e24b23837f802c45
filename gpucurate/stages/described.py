"""Any Python value as plain values that say what it is, for fingerprints and differences."""

from __future__ import annotations

import copyreg
import functools
import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from types import CodeType, FunctionType
from typing import Any

from gpucurate.spec.redaction import is_secret_name

LARGEST_INTEGER = 2**63
"""Beyond this, and below the negative of it, JSON libraries disagree on integers."""

LONGEST_BYTES = 64
"""Longer byte strings are told by their digest."""

_CONSTANTS = (str, bytes, int, float, bool, type(None))


def describe_values(values: Mapping[Any, Any]) -> dict[str, Any]:
    """The values of a mapping as what JSON has; equal values give equal descriptions.

    Objects are told by their class and state, functions by their source, defaults and the
    constants they enclose; a value that says nothing of itself by the name of its class.
    """
    return _mapping(values, ())


def _mapping(values: Mapping[Any, Any], above: tuple[int, ...]) -> dict[str, Any]:
    return {_text(str(key)): _setting(str(key), value, above) for key, value in values.items()}


def _setting(name: str, value: Any, above: tuple[int, ...]) -> Any:
    """A value by its name: what is written down of a secret is that it is the same, or another."""
    if isinstance(value, str | bytes) and is_secret_name(name):
        raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        return f"secret {hashlib.blake2b(raw, digest_size=16, person=b'gpucurate secret').hexdigest()}"
    return _described(value, above)


def _described(value: Any, above: tuple[int, ...]) -> Any:
    if id(value) in above:
        return "<cycle>"
    above = (*above, id(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(value)  # of NumPy's there is a subclass, which JSON libraries refuse
    if isinstance(value, int):
        return int(value) if abs(value) < LARGEST_INTEGER else str(int(value))
    if isinstance(value, str | PurePath):
        return _text(str(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes(bytes(value))
    if isinstance(value, Mapping):
        return _mapping(value, above)
    if isinstance(value, list | tuple):
        return [_described(item, above) for item in value]
    if isinstance(value, frozenset | set):
        return sorted((_described(item, above) for item in value), key=repr)
    return _object(value, above)


def _object(value: Any, above: tuple[int, ...]) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        state = {field.name: getattr(value, field.name) for field in fields(value)}
        return [_qualified(type(value)), _mapping(state, above)]
    if isinstance(value, functools.partial):
        return [_described(part, above) for part in (value.func, value.args, value.keywords)]
    if isinstance(value, FunctionType):
        return [_qualified(value), source_hash(value), _described(_enclosed(value), above)]
    if isinstance(value, type) or callable(value):
        return [_qualified(value), source_hash(value if isinstance(value, type) else type(value)),
                _state(value, above)]  # fmt: skip
    return [_qualified(type(value)), _state(value, above)]


def _state(value: Any, above: tuple[int, ...]) -> Any:
    """What the value would be pickled as, which is how it says all of itself."""
    if isinstance(value, type):
        return None
    try:
        registered = copyreg.dispatch_table.get(type(value))
        reduced = registered(value) if registered else value.__reduce_ex__(4)
    except Exception:
        # It has no state to tell of (a lock, a connection), which is no fault here: such a
        # stage can run in this process, and where it has to be pickled that says so.
        return None
    if isinstance(reduced, str):
        return reduced
    made_of, arguments, state, items, pairs = (*reduced, *[None] * 3)[:5]
    parts = [arguments, state, None if items is None else list(items), None if pairs is None else list(pairs)]
    return [_qualified(made_of), *(_described(part, above) for part in parts)]


def _enclosed(function: FunctionType) -> list[Any]:
    """Defaults, and constants from the functions around it; what can change has no fixed value."""
    cells = function.__closure__ or ()
    names = function.__code__.co_freevars
    constants = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            inside = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
        if isinstance(inside, _CONSTANTS):
            constants[name] = inside
    return [function.__defaults__, function.__kwdefaults__, constants]


def _text(value: str) -> str:
    """Names of files may hold bytes that are not UTF-8, which JSON cannot carry."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")
    return value


def _bytes(value: bytes) -> str:
    if len(value) <= LONGEST_BYTES:
        return value.hex()
    return hashlib.blake2b(value, digest_size=16).hexdigest()


def _qualified(value: Any) -> str:
    module = getattr(value, "__module__", None) or ""
    return f"{module}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def source_hash(value: type | Callable[..., Any]) -> str:
    """64 bits of the source of a class or function; of its code where there is no source."""
    try:
        text = inspect.getsource(value)
    except (OSError, TypeError):  # typed at a prompt, or built in
        text = _code(value)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _code(value: Any) -> str:
    if isinstance(value, type):
        return repr(
            [_code(member) for _, member in sorted(vars(value).items()) if hasattr(member, "__code__")]
        )
    code = getattr(value, "__code__", None)
    return _compiled(code) if code is not None else _qualified(value)


def _compiled(code: CodeType) -> str:
    constants = [_compiled(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, code.co_names, constants))
