"""Memory of a CUDA device, through RMM."""

from __future__ import annotations

from gpucurate.spec.errors import DeviceError


def try_pool(nbytes: int) -> None:
    """Allocate from a pool of the driver and give the memory back; the pool goes with it.

    Raises:
        DeviceError: RMM is not installed, or the driver has no such pool, or not so much memory.
    """
    try:
        import rmm
    except ImportError as error:
        raise DeviceError(f"RMM cannot be imported ({error})") from error
    try:
        pool = rmm.mr.CudaAsyncMemoryResource(release_threshold=0)
        rmm.DeviceBuffer(size=nbytes, mr=pool)
    except (RuntimeError, MemoryError) as error:  # RMM has no type of its own for either
        raise DeviceError(f"a memory pool cannot give {nbytes:,} bytes: {error}") from error
