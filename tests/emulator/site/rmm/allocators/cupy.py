"""What CuPy allocates through."""

from __future__ import annotations

from collections.abc import Callable

from rmm import mr


def rmm_cupy_allocator(nbytes: int) -> Callable[[], None]:
    """Take bytes of the current resource; what gives them back."""
    resource = mr.get_current_device_resource()
    address = resource.allocate(nbytes)
    return lambda: resource.deallocate(address, nbytes)
