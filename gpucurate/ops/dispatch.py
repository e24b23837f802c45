"""Which implementation of an operation runs: where the data lies decides."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from gpucurate.frame.transfers import is_on_device
from gpucurate.spec.errors import NotOnDeviceError


def implementation(operation: str, array: Any) -> ModuleType:
    """The module that implements ``operation`` where ``array`` lies.

    Args:
        operation: package of the operation, the ``__package__`` of its contract.
        array: any array of the operation's input.

    Raises:
        NotOnDeviceError: the array lies on a device, and the operation runs on the CPU only.
    """
    if not is_on_device(array):
        return import_module(f"{operation}.cpu")
    if find_spec(f"{operation}.cuda") is None:
        raise NotOnDeviceError(
            f"{operation.rpartition('.')[2]} has no CUDA implementation, and was given an array of type "
            f"{type(array).__name__}: pass NumPy arrays"
        )
    return import_module(f"{operation}.cuda")
