"""The ceilings' own kernels compile as CuPy compiles them, and spill nothing that would slow them down."""

import re

import pytest

from benchmarks.gpu.ceilings import NAMES, STEPS_OF_ROUND, source
from gpucurate.ops.cuda.source import OPTIONS
from tests.emulator.nvrtc import CUPY_OPTIONS, Nvrtc, library
from tests.emulator.test_nvrtc import TARGETS


@pytest.mark.parametrize(("version", "architecture"), TARGETS)
def test_the_kernels_compile_for_every_architecture(request, version, architecture):
    if library(version) is None:
        pytest.skip(f"NVRTC {version} is not installed")
    compiler = Nvrtc(version, request.config.cache.mkdir("nvrtc"))
    found = compiler.compile(source(), (*OPTIONS, *CUPY_OPTIONS, f"-arch={architecture}"))
    assert found.keys() == {"read_words", "nothing", *STEPS_OF_ROUND}
    assert all((usage.spilled, usage.stack) == (0, 0) for usage in found.values())


def test_the_steps_of_a_round_are_those_of_the_source():
    text = source()
    chains, steps = (int(re.search(rf"{name} = (\d+)", text)[1]) for name in ("kChains", "kSteps"))
    assert {"products": chains * steps, "minima": chains * steps, "minhash_steps": 2 * 32} == STEPS_OF_ROUND
    assert NAMES.keys() == STEPS_OF_ROUND.keys()
    assert '#include "portable.cuh"' not in text
