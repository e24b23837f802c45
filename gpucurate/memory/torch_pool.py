"""How torch's memory lives beside the pool of cuDF and CuPy."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.errors import ConfigurationError, DeviceError

TorchMode = Literal["separate", "rmm", "driver"]
"""``separate``: two pools, each with a budget. ``rmm``: torch allocates from RMM. ``driver``: both
from the device's default pool, which has to be measured on a device before it is recommended."""

BACKEND = "cudaMallocAsync"
_SETTINGS = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")


@dataclass(frozen=True, slots=True)
class TorchState:
    """What torch has done so far in this process.

    Attributes:
        imported: whether it is loaded.
        touched: whether it has made a CUDA context.
        backend: its allocator, ``native``, ``cudaMallocAsync`` or ``pluggable``; None before it is known.
    """

    imported: bool
    touched: bool
    backend: str | None


def torch_state() -> TorchState:
    """What torch has done so far; does not import it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return TorchState(imported=False, touched=False, backend=None)
    # A build without CUDA has no allocator to ask for.
    backend = torch.cuda.get_allocator_backend() if torch.backends.cuda.is_built() else None
    return TorchState(True, torch.cuda.is_initialized(), backend)


def refusal(mode: TorchMode, state: TorchState) -> str | None:
    """Why torch cannot be put into ``mode`` any more, or None where it can."""
    if mode == "rmm" and state.touched:
        return (
            "torch has used CUDA already, so it cannot allocate from RMM any more: "
            "share before the first tensor on a GPU, or take the mode separate"
        )
    if mode == "driver" and state.imported and state.backend != BACKEND:
        return (
            f"torch is loaded with the allocator {state.backend} and cannot use the driver's pool any more: "
            f"share before torch is imported, or set {_SETTINGS[-1]}=backend:{BACKEND}"
        )
    return None


def share_with_torch(mode: TorchMode, limit: int | None = None) -> None:
    """Let torch live beside the pool, on the current device; once per process, and early.

    Args:
        mode: ``separate`` gives torch ``limit`` bytes in its own allocator. ``rmm`` makes torch
            allocate from RMM's current resource, under its limit and in its figures: open the pool
            first; torch then has no statistics, no ``empty_cache`` and no CUDA graphs. ``driver``
            makes torch allocate from the device's default pool, ``limit`` bytes at most: open the
            GPU pool with ``driver_pool="default"``; has never been measured.
        limit: bytes for torch; needed except for ``rmm``, which has the pool's.

    Raises:
        ConfigurationError: too late (:func:`refusal`), a limit is missing, out of place or above
            what the device has.
        DeviceError: torch is not installed, or sees no GPU.
    """
    if (limit is None) != (mode == "rmm"):
        wanted = "has the limit of the pool: give none" if mode == "rmm" else "needs a limit in bytes"
        raise ConfigurationError(f"torch's memory in the mode {mode} {wanted}")
    if reason := refusal(mode, torch_state()):
        raise ConfigurationError(reason)
    if mode == "driver":
        _choose_backend()
    torch = _torch()
    if limit is None:
        _allocate_from_rmm(torch)
    else:
        torch.cuda.set_per_process_memory_fraction(fraction_of(limit, int(torch.cuda.mem_get_info()[1])))


def release_torch_cache() -> None:
    """Give back what torch keeps idle, if it is loaded and has used a GPU."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def fraction_of(limit: int, total: int) -> float:
    """The share of a device's ``total`` bytes that ``limit`` is.

    Raises:
        ConfigurationError: more than all, or nothing.

    >>> fraction_of(20, 80)
    0.25
    """
    if not 0 < limit <= total:
        raise ConfigurationError(
            f"torch cannot have {format_bytes(limit)} of a device of {format_bytes(total)}: "
            "give more than nothing and at most all of it"
        )
    return limit / total


def _choose_backend() -> None:
    """Into the variable that torch 2.13 reads: the older name goes before, where it is set."""
    name = next((name for name in _SETTINGS if name in os.environ), _SETTINGS[-1])
    others = [part for part in os.environ.get(name, "").split(",") if part and part[:8] != "backend:"]
    os.environ[name] = ",".join([f"backend:{BACKEND}", *others])


def _torch() -> Any:
    if find_spec("torch") is None:
        raise DeviceError("torch is not installed: pip install 'gpucurate[inference]'")
    import torch

    if not torch.cuda.is_available():
        raise DeviceError("torch sees no GPU: install a build with CUDA, and see gpucurate doctor")
    return torch


def _allocate_from_rmm(torch: Any) -> None:
    from rmm.allocators.torch import rmm_torch_allocator

    torch.cuda.memory.change_current_allocator(rmm_torch_allocator)
