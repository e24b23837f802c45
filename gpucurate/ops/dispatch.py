"""Which implementation of an operation runs: where the data lies decides."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np


def implementation(operation: str, array: Any) -> ModuleType:
    """The module that implements ``operation`` where ``array`` lies.

    Args:
        operation: package of the operation, the ``__package__`` of its contract.
        array: any array of the operation's input.
    """
    device = "cpu" if isinstance(array, np.ndarray) else "cuda"
    return import_module(f"{operation}.{device}")
