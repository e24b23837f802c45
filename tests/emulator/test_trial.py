"""The kernel that tells whether a device works."""

import pytest

from gpucurate.ops.char_length import cuda
from gpucurate.ops.cuda.trial import try_kernel
from gpucurate.spec.errors import DeviceError


def test_a_device_that_counts_as_the_cpu_does_passes(device):
    try_kernel(device)


def test_a_device_that_counts_otherwise_is_told(device, monkeypatch):
    count = cuda.char_length
    monkeypatch.setattr(cuda, "char_length", lambda text, device: count(text, device) + 1)
    with pytest.raises(DeviceError, match=r"counts \[1, 6, 8, 8\] characters in texts of \[0, 5, 7, 7\]"):
        try_kernel(device)
