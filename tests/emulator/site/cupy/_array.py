"""An array of the emulated device."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from cupy import _memory

METHODS = frozenset({"all", "any", "argmax", "argmin", "argsort", "astype", "copy", "cumsum", "dot", "item"})
METHODS |= {"max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "reshape", "squeeze", "sum", "take"}
METHODS |= {"sort", "tolist", "transpose", "view"}
ATTRIBUTES = frozenset({"shape", "dtype", "ndim", "size", "nbytes", "itemsize", "flags", "strides"})


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """Holds host memory that only this module's functions and kernels see."""

    __slots__ = ("__weakref__", "_held")

    def __init__(self, held: np.ndarray) -> None:
        self._held = held

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {**self._held.__array_interface__, "version": 3, "stream": 1}

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        found = getattr(ufunc, method)(*unwrapped(inputs), **unwrapped(kwargs))
        return wrapped(found) if out is None else out[0]

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"numpy.{function.__name__} of an array of the device: call the module's own")

    def get(self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True) -> Any:
        """A copy on the host."""
        if out is None:
            return self._held.copy(order=order)
        out[...] = self._held
        return out

    def set(self, values: np.ndarray, stream: Any = None) -> None:
        """Copy from the host, on a stream beside others when somebody waits for it."""
        if values.shape != self.shape or values.dtype != self.dtype:
            raise ValueError(f"{values.dtype}{values.shape} into {self.dtype}{self.shape}")
        if not self._held.flags.forc:
            raise RuntimeError("Cannot set to non-contiguous array")
        if stream is None or stream.is_eager or not values.nbytes:
            self._held[...] = values
        else:
            stream.copies.add(self._held, np.ascontiguousarray(values))

    def fill(self, value: Any) -> None:
        """One value everywhere."""
        self._held.fill(unwrapped(value))

    @property
    def T(self) -> ndarray:
        """Transposed, without a copy."""
        return ndarray(self._held.T)

    @property
    def data(self) -> Any:
        """Where it lies."""
        return _memory.Pointer(self._held)

    def __getattr__(self, name: str) -> Any:
        if name in ATTRIBUTES:
            return getattr(self._held, name)
        if name not in METHODS:
            raise AttributeError(f"cupy.ndarray has no {name!r}, or the emulator does not know it")
        method = getattr(self._held, name)
        if name in ("item", "tolist"):
            return method
        return lambda *args, **kwargs: wrapped(method(*unwrapped(args), **unwrapped(kwargs)))

    def __getitem__(self, index: Any) -> ndarray:
        return wrapped(self._held[unwrapped(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._held[unwrapped(index)] = unwrapped(value)

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Any:
        return (wrapped(each) for each in self._held)

    def __bool__(self) -> bool:
        return bool(self._held)

    def __int__(self) -> int:
        return int(self._held)

    def __float__(self) -> float:
        return float(self._held)

    def __index__(self) -> int:
        return self._held.__index__()

    def __repr__(self) -> str:
        return f"device {self._held!r}"


def to_device(values: np.ndarray) -> ndarray:
    """A copy of a host array."""
    return wrapped(np.array(values, order="C", copy=True))


class _Lent:
    """Memory that something else of the device holds."""

    def __init__(self, owner: Any) -> None:
        self.owner, described = owner, owner.__cuda_array_interface__
        names = ("data", "shape", "typestr", "strides")
        self.__array_interface__ = {name: described.get(name) for name in names} | {"version": 3}


def of_interface(owner: Any) -> ndarray:
    """An array over the memory that ``owner.__cuda_array_interface__`` describes, which it keeps alive."""
    shape, kind = owner.__cuda_array_interface__["shape"], owner.__cuda_array_interface__["typestr"]
    return wrapped(np.asarray(_Lent(owner)) if np.prod(shape) else np.zeros(shape, kind))


def wrapped(found: Any) -> Any:
    """What NumPy gave, as CuPy gives it: arrays of the device, scalars as arrays of no dimension."""
    if isinstance(found, tuple | list):
        return type(found)(map(wrapped, found))
    if isinstance(found, np.generic):
        found = np.asarray(found)
    if not isinstance(found, np.ndarray):
        return found
    if found.base is None and id(found) not in _counted:
        release = _memory.take(found.nbytes)
        _counted.add(id(found))
        weakref.finalize(found, _forget, id(found), release)
    return ndarray(found)


_counted: set[int] = set()
"""Arrays that own their memory, which is counted."""


def _forget(number: int, release: Callable[[], None]) -> None:
    _counted.discard(number)
    release()


def unwrapped(given: Any) -> Any:
    """Arguments as NumPy takes them.

    Raises:
        TypeError: a host array among them.
    """
    if isinstance(given, ndarray):
        return given._held
    if isinstance(given, tuple | list):
        return type(given)(map(unwrapped, given))
    if isinstance(given, dict):
        return {key: unwrapped(value) for key, value in given.items()}
    if isinstance(given, np.ndarray):
        raise TypeError(
            f"Unsupported type <class 'numpy.ndarray'>: an array of the host, {given.dtype}{given.shape}"
        )
    return given
