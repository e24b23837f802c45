"""How operations run on a CUDA device: kernels, their launch, text as they see it."""

from gpucurate.ops.cuda.device import CUDA, CudaDevice, Device
from gpucurate.ops.cuda.text import (
    ChunkList,
    DeviceText,
    chunk_list,
    class_tables,
    device_arrays,
    device_text,
    prefix_sums,
)

__all__ = [
    "CUDA",
    "ChunkList",
    "CudaDevice",
    "Device",
    "DeviceText",
    "chunk_list",
    "class_tables",
    "device_arrays",
    "device_text",
    "prefix_sums",
]
