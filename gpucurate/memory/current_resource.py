"""Which resource RMM, and through it CuPy and cuDF, allocate from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpucurate.memory.rmm_stack import import_rmm
from gpucurate.spec.errors import DeviceError


def make_current(resource: Any, device: int) -> Callable[[], None]:
    """Let RMM allocate from ``resource`` on ``device``, and CuPy through RMM.

    Memory taken before stays where it is. cuDF points CuPy at RMM too when it is imported.

    Returns:
        what puts both back as they were.

    Raises:
        DeviceError: RMM or CuPy is not installed.
    """
    rmm = import_rmm()
    try:
        import cupy
        from rmm.allocators.cupy import rmm_cupy_allocator
    except ImportError as error:
        raise DeviceError(f"CuPy cannot be imported ({error}): pip install 'gpucurate[cu13]'") from error
    resource_before = rmm.mr.get_per_device_resource(device)
    allocator_before = cupy.cuda.get_allocator()
    rmm.mr.set_per_device_resource(device, resource)
    cupy.cuda.set_allocator(rmm_cupy_allocator)

    def restore() -> None:
        cupy.cuda.set_allocator(allocator_before)
        rmm.mr.set_per_device_resource(device, resource_before)

    return restore
