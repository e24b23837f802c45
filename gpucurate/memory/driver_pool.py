"""A memory pool of the CUDA driver, by its handle, so that it can be trimmed."""

from __future__ import annotations

from typing import Any, Literal

from gpucurate.spec.errors import DeviceError

Whose = Literal["own", "default"]
"""Which pool of the driver: one made for us, or the device's default one (shared with torch)."""

_KEEP_ALL = 2**64 - 1


class DriverPool:
    """A pool behind ``cudaMallocAsync`` on the current device; keeps what is freed until it is trimmed.

    RMM's own ``CudaAsyncMemoryResource`` makes such a pool too, but tells nobody its handle, without
    which idle memory cannot be given back (RMM 26.10). So the pool is made here, and RMM given a view.

    Args:
        whose: a pool of its own, or the device's default one.

    Attributes:
        device: number of the device.
        handle: ``cuda.bindings.runtime.cudaMemPool_t``.

    Raises:
        DeviceError: the CUDA bindings are missing, or the driver has no pools.
    """

    def __init__(self, whose: Whose = "own") -> None:
        self._runtime, self._driver = _bindings()
        self._whose = whose
        self.device = int(self._call("cudaGetDevice"))
        self.handle = (
            self._made() if whose == "own" else self._call("cudaDeviceGetDefaultMemPool", self.device)
        )
        self._threshold = int(self._attribute("ReleaseThreshold"))
        self._keep(_KEEP_ALL)

    @property
    def reserved_bytes(self) -> int:
        """Bytes the pool holds of the device, in use or idle."""
        return int(self._attribute("ReservedMemCurrent"))

    def trim(self) -> int:
        """Wait for the device and give back what is idle; the bytes given back."""
        before = self.reserved_bytes
        self._call("cudaDeviceSynchronize")  # what is freed in a stream is idle when the stream got there
        self._call("cudaMemPoolTrimTo", self.handle, 0)
        return before - self.reserved_bytes

    def close(self) -> None:
        """Give everything back; the device's default pool keeps as much as before."""
        self.trim()
        if self._whose == "own":
            self._call("cudaMemPoolDestroy", self.handle)
        else:
            self._keep(self._threshold)

    def _made(self) -> Any:
        runtime = self._runtime
        properties = runtime.cudaMemPoolProps()
        properties.allocType = runtime.cudaMemAllocationType.cudaMemAllocationTypePinned
        properties.location.type = runtime.cudaMemLocationType.cudaMemLocationTypeDevice
        properties.location.id = self.device
        return self._call("cudaMemPoolCreate", properties)

    def _keep(self, nbytes: int) -> None:
        value = self._driver.cuuint64_t(nbytes)
        self._call("cudaMemPoolSetAttribute", self.handle, self._name("ReleaseThreshold"), value)

    def _attribute(self, name: str) -> Any:
        return self._call("cudaMemPoolGetAttribute", self.handle, self._name(name))

    def _name(self, name: str) -> Any:
        return getattr(self._runtime.cudaMemPoolAttr, f"cudaMemPoolAttr{name}")

    def _call(self, function: str, *arguments: Any) -> Any:
        return _checked(self._runtime, function, *arguments)


def device_memory() -> tuple[int, int]:
    """Free and total bytes of the current device.

    Raises:
        DeviceError: the CUDA bindings are missing, or there is no device.
    """
    free, total = _checked(_bindings()[0], "cudaMemGetInfo")
    return int(free), int(total)


def _bindings() -> tuple[Any, Any]:
    try:
        from cuda.bindings import driver, runtime
    except ImportError as error:
        raise DeviceError(
            f"the CUDA bindings cannot be imported ({error}): pip install 'gpucurate[cu13]'"
        ) from error
    return runtime, driver


def _checked(runtime: Any, function: str, *arguments: Any) -> Any:
    """Call a function of the CUDA runtime; its result, or results."""
    status, *results = getattr(runtime, function)(*arguments)
    if int(status):
        name, text = (runtime.cudaGetErrorName(status)[1], runtime.cudaGetErrorString(status)[1])
        raise DeviceError(f"{function} failed: {name.decode()}: {text.decode()}")
    return results[0] if len(results) == 1 else tuple(results)
