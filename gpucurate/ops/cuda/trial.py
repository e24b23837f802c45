"""One small kernel, to see whether a device works at all."""

from __future__ import annotations

from importlib import import_module

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda.device import CUDA, Device
from gpucurate.spec.errors import DeviceError

SAMPLE = ("", "pages", "Ünïcödé", "\N{GRINNING FACE} and \N{CJK UNIFIED IDEOGRAPH-6587}")


def try_kernel(device: Device = CUDA) -> None:
    """Count the characters of a few texts on a device, and hold them against the CPU's.

    Raises:
        DeviceError: CuPy cannot be imported, finds no device, cannot compile or run, or counts otherwise.
    """
    text = TextBuffers.from_strings(list(SAMPLE))
    try:
        xp = device.xp
        on_device = TextBuffers(xp.asarray(text.data), xp.asarray(text.offsets), None)
        found = import_module("gpucurate.ops.char_length.cuda").char_length(on_device, device)
        counts = [int(count) for count in found]
    except DeviceError:
        raise
    except (RuntimeError, ImportError, OSError) as error:  # CuPy's and the driver's are RuntimeErrors
        raise DeviceError(f"a kernel cannot be run: {type(error).__name__}: {error}") from error
    expected = [len(each) for each in SAMPLE]
    if counts != expected:
        raise DeviceError(f"a kernel counts {counts} characters in texts of {expected}")
