"""What NVIDIA's driver says, through NVML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HOW_TO_ASK = "pip install nvidia-ml-py"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device.

    Attributes:
        index: as NVML counts, which is by PCI bus.
        name: of the product.
        memory: bytes in all.
        free: bytes.
        capability: compute capability, (major, minor).
        mig: whether it is cut into instances.
        processes: how many compute on it now.
    """

    index: int
    name: str
    memory: int
    free: int
    capability: tuple[int, int]
    mig: bool
    processes: int


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver and its devices.

    Attributes:
        version: such as ``580.65.06``.
        cuda: highest version of CUDA it serves, (major, minor).
        gpus: by index.
    """

    version: str
    cuda: tuple[int, int]
    gpus: tuple[Gpu, ...]


class NoDriverError(Exception):
    """There is no driver to ask; the message says why."""


def read_driver() -> Driver:
    """Ask NVML.

    Raises:
        NoDriverError: its Python package is not installed, or there is no driver, or it does not answer.
    """
    try:
        import pynvml
    except ImportError as error:
        raise NoDriverError(f"cannot be asked: {HOW_TO_ASK}") from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NoDriverError(f"no NVIDIA driver answers ({error})") from error
    try:
        cuda = int(pynvml.nvmlSystemGetCudaDriverVersion_v2())
        count = int(pynvml.nvmlDeviceGetCount())
        return Driver(
            str(pynvml.nvmlSystemGetDriverVersion()),
            (cuda // 1000, cuda % 1000 // 10),
            tuple(_gpu(pynvml, index) for index in range(count)),
        )
    except pynvml.NVMLError as error:
        raise NoDriverError(f"the NVIDIA driver does not answer ({error})") from error
    finally:
        pynvml.nvmlShutdown()


def _gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
    return Gpu(
        index,
        str(nvml.nvmlDeviceGetName(handle)),
        int(memory.total),
        int(memory.free),
        (int(major), int(minor)),
        _is_cut(nvml, handle),
        len(nvml.nvmlDeviceGetComputeRunningProcesses(handle)),
    )


def _is_cut(nvml: Any, handle: Any) -> bool:
    try:
        current, _ = nvml.nvmlDeviceGetMigMode(handle)
    except nvml.NVMLError_NotSupported:
        return False
    return bool(current == nvml.NVML_DEVICE_MIG_ENABLE)
