"""Looks names up in modules that can be imported here: NumPy, NVML's, and CuPy on a machine that has it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from inspect import Parameter, Signature
from types import ModuleType
from typing import Any

import numpy as np

from tests.rapids.calls import misfit
from tests.rapids.uses import Use

UNKNOWN = object()
"""What cannot be told without calling; nothing is objected to."""

TO_HOST = ("tolist", "item", "tobytes")
"""Methods of arrays that return none."""


@dataclass(frozen=True)
class Found:
    """What a name stands for; ``of_instance`` where it was reached through an instance of a class."""

    value: Any
    of_instance: bool = False


def objection(use: Use, module: str) -> str | None:
    """What is wrong with a use, its first part standing for a module; None: nothing, or not known."""
    found = look_up(use.name, module)
    if found is None:
        return f"{use.place}: {use.name}: {module} has no such name"
    signature = signature_of(found) if use.call else None
    reason = misfit(signature, use.call) if use.call and signature else None
    return f"{use.place}: {use.name} of {module}: {reason}" if reason else None


def look_up(name: str, module: str) -> Found | None:
    """What stands under a dotted name; ``f()`` is the class of what a call returns. None: no such name."""
    package = import_module(module)
    holder = Found(package)
    for part in name.split(".")[1:]:
        attribute = part.removesuffix("()")
        found = _member(holder, attribute)
        if found is None:
            return None
        holder = (
            found
            if attribute == part
            else Found(_result(package, holder, found, attribute), of_instance=True)
        )
    return holder


def _result(package: ModuleType, holder: Found, found: Found, name: str) -> Any:
    """Functions that NumPy has too return arrays, and so do the methods of arrays."""
    if isinstance(found.value, type):
        return found.value
    arrays = getattr(package, "ndarray", UNKNOWN)
    of_package = holder.value is package and hasattr(np, name)
    of_arrays = holder.value is arrays and hasattr(np.ndarray, name) and name not in TO_HOST
    return arrays if of_package or of_arrays else UNKNOWN


def signature_of(found: Found) -> Signature | None:
    """Of what can be called, where it says so; methods of an instance without ``self``."""
    if type(found.value).__name__ == "ufunc":
        return _of_ufunc(found.value.nin)
    try:
        signature = inspect.signature(found.value)
    except (TypeError, ValueError):  # compiled, without a signature
        return None
    own = list(signature.parameters.values())
    return signature.replace(parameters=own[1:]) if found.of_instance else signature


def _of_ufunc(arguments: int) -> Signature:
    """What both NumPy's and CuPy's element-wise functions take."""
    arrays = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in "xyz"[:arguments]]
    named = [Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in ("out", "dtype", "casting")]
    return Signature([*arrays, *named])


def _member(found: Found, name: str) -> Found | None:
    value = found.value
    if value is UNKNOWN:
        return found
    if hasattr(value, name):
        is_method = found.of_instance and isinstance(value, type)
        return Found(getattr(value, name), of_instance=is_method)
    submodule = f"{value.__name__}.{name}" if hasattr(value, "__path__") else None
    return Found(import_module(submodule)) if submodule and find_spec(submodule) else None
