"""``torch.cuda`` of the emulated device."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

told: dict[str, Any] = {}
"""What it was told, for the test to look at."""


def is_available() -> bool:
    """Yes."""
    return True


def is_initialized() -> bool:
    """Nothing has used it."""
    return False


def get_allocator_backend() -> str:
    """Its own."""
    return "native"


def mem_get_info() -> tuple[int, int]:
    """Bytes free, and in all."""
    from cupy.cuda import runtime

    return runtime.memGetInfo()


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """A limit."""
    told["fraction"] = fraction


memory = SimpleNamespace(change_current_allocator=lambda allocator: told.update(allocator=allocator))
