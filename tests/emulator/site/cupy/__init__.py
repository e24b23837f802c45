"""CuPy's names over host memory: what lets the project's device code run where there is no device.

On the path before site-packages (``PYTHONPATH``, ``sys.path``) it is what ``import cupy`` finds. Functions
are NumPy's, allowed only where CuPy 14 has one of the name (``names.txt``); kernels run in the emulator
of CUDA C++ beside this folder; and it is as strict as CuPy where hosts and devices meet: arrays of the
two never mix, none turns into the other by itself, reductions give arrays of no dimension.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cupy import cuda
from cupy._array import ndarray, of_interface, to_device, unwrapped, wrapped
from cupy._kernels import RawModule
from cupy._streams import UNDEFINED

__all__ = ["RawModule", "asarray", "asnumpy", "cuda", "empty", "empty_like", "ndarray"]
__version__ = "14.2.0+emulated"

NAMES = frozenset((Path(__file__).parent / "names.txt").read_text().split())


def asarray(values: Any, dtype: Any = None, order: str = "C") -> ndarray:
    """An array of the device: host arrays are copied, those of the device are not."""
    if isinstance(values, ndarray):
        return values if dtype is None or values.dtype == dtype else values.astype(dtype)
    if hasattr(values, "__cuda_array_interface__"):
        return asarray(of_interface(values), dtype)
    return to_device(np.asarray(values, dtype, order=order))


def array(values: Any, dtype: Any = None, copy: bool = True) -> ndarray:
    """A new array of the device."""
    found = asarray(values, dtype)
    return found.copy() if copy and found is values else found


def ascontiguousarray(values: Any, dtype: Any = None) -> ndarray:
    """As it is if it is contiguous and of that type, else a copy."""
    if not isinstance(values, ndarray):
        raise TypeError(f"cupy.ascontiguousarray takes arrays of the device, not {type(values).__name__}")
    return wrapped(np.ascontiguousarray(unwrapped(values), dtype))


def asnumpy(values: Any) -> Any:
    """A copy on the host."""
    return values.get() if isinstance(values, ndarray) else np.asarray(values)


def frombuffer(*_: Any, **__: Any) -> Any:
    """CuPy's reads host memory: upload the array instead, so that it is counted."""
    raise TypeError("cupy.frombuffer copies from the host behind the counters' back")


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """Memory as a device gives it: with what was there before."""
    return wrapped(_used(np.empty(shape, dtype, order)))


def empty_like(prototype: ndarray, dtype: Any = None) -> ndarray:
    """As :func:`empty`, with the shape of another."""
    return wrapped(_used(np.empty_like(unwrapped(prototype), dtype)))


def _used(memory: np.ndarray) -> np.ndarray:
    memory.reshape(-1).view(np.uint8)[...] = UNDEFINED
    return memory


@cache
def _function(name: str) -> Any:
    function = getattr(np, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return wrapped(function(*unwrapped(args), **unwrapped(kwargs)))

    return call


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"CuPy has no {name!r}")
    found = getattr(np, name)
    return found if isinstance(found, type) or not callable(found) else _function(name)
