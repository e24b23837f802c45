"""RMM and CuPy allocate from the resource that is made current, until it is put back."""

import pytest

from gpucurate.memory.current_resource import make_current
from tests.memory.host_memory import RmmOverHost


def test_rmm_and_cupy_are_pointed_at_a_resource_and_back():
    rmm = pytest.importorskip("rmm", reason="RMM is not installed (pip install 'gpucurate[cu13]')")
    cupy = pytest.importorskip("cupy")
    from rmm.allocators.cupy import rmm_cupy_allocator

    stack = RmmOverHost(4096)
    before = rmm.mr.get_per_device_resource(0), cupy.cuda.get_allocator()
    restore = make_current(stack.top, 0)
    assert rmm.mr.get_per_device_resource(0) is stack.top
    assert cupy.cuda.get_allocator() is rmm_cupy_allocator
    restore()
    assert (rmm.mr.get_per_device_resource(0), cupy.cuda.get_allocator()) == before


def test_the_signatures_are_those_that_the_pool_is_made_with():
    """Called as ``gpu_pool`` and ``driver_pool`` do, up to where a driver is needed."""
    rmm = pytest.importorskip("rmm", reason="RMM is not installed (pip install 'gpucurate[cu13]')")
    from cuda.bindings import driver, runtime

    with pytest.raises(RuntimeError, match="null pool handle"):
        rmm.mr.CudaAsyncViewMemoryResource(runtime.cudaMemPool_t(0))
    assert int(driver.cuuint64_t(2**64 - 1)) == 2**64 - 1
    properties = runtime.cudaMemPoolProps()
    properties.allocType = runtime.cudaMemAllocationType.cudaMemAllocationTypePinned
    properties.location.type = runtime.cudaMemLocationType.cudaMemLocationTypeDevice
    properties.location.id = 3
    assert "id : 3" in str(properties)
    for name in ("ReleaseThreshold", "ReservedMemCurrent"):
        assert hasattr(runtime.cudaMemPoolAttr, f"cudaMemPoolAttr{name}")
    for name in ("Create", "Destroy", "TrimTo", "GetAttribute", "SetAttribute"):
        assert callable(getattr(runtime, f"cudaMemPool{name}"))
    assert callable(runtime.cudaDeviceGetDefaultMemPool)
    assert callable(runtime.cudaDeviceSynchronize)
