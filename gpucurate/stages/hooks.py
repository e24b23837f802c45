"""Calling the hooks of a stage, which may be written without arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def call_hook(hook: Callable[..., None], *given: Any) -> None:
    """Call ``hook`` with what is given, or with nothing if it takes nothing."""
    try:
        inspect.signature(hook).bind(*given)
    except TypeError:
        hook()
    else:
        hook(*given)
