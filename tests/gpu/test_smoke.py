"""Each kernel compiles on the device and gives there what the CPU gives (``make gpu-smoke``)."""

from collections.abc import Callable

import numpy as np
import pytest

from gpucurate.ops.document_hash import document_hash
from gpucurate.ops.kernels import kernel_names
from gpucurate.ops.minhash import MinHashParams, band_keys
from tests.emulator import launch, texts
from tests.emulator.backend import OnDevice


def hashes_agree() -> bool:
    text = texts.awkward()
    return np.array_equal(launch.document_hash(OnDevice(), text), document_hash(text))


def band_keys_agree() -> bool:
    text, params = texts.awkward(), MinHashParams()
    return np.array_equal(launch.band_keys(OnDevice(), text, params)[0], band_keys(text, params)[0])


SMOKE_CHECKS: dict[str, Callable[[], bool]] = {"document_hash": hashes_agree, "minhash": band_keys_agree}


def test_every_kernel_has_a_smoke_check():
    assert sorted(SMOKE_CHECKS) == kernel_names()


@pytest.mark.gpu
@pytest.mark.parametrize("name", SMOKE_CHECKS)
def test_a_kernel_agrees_with_the_cpu_on_this_device(name):
    assert SMOKE_CHECKS[name]()
