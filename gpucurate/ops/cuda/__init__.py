"""How operations run on a CUDA device: kernels, their launch, text as they see it."""

from gpucurate.ops.cuda.device import CUDA, CudaDevice, Device
from gpucurate.ops.cuda.text import ChunkList, DeviceText, device_text

__all__ = ["CUDA", "ChunkList", "CudaDevice", "Device", "DeviceText", "device_text"]
