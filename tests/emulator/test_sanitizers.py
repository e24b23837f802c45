"""Kernels under the address and undefined-behaviour sanitizers, in processes of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.emu import missing_compiler, sanitizers

HERE = Path(__file__).parent
#: One order of threads, each kernel: any text, the ends of chunks, the ends of arrays.
SELECTED = "backward and (any_ or 513 or ends_of or anywhere or far_apart or equal_keys or sizes or border)"
RUN_SAMPLE = """
import sys
from pathlib import Path
import numpy as np
from tests.emulator.emu import RawModule
sample = RawModule(path=Path(sys.argv[1]), cache=Path(sys.argv[2])).get_function(sys.argv[3])
arrays = [np.zeros(1, np.int32) for _ in range(int(sys.argv[4]))]
sample((1,), (1,), tuple(arrays))
"""


@pytest.fixture(scope="module")
def sanitized():
    """Runs Python with arguments under the sanitizers."""
    if reason := missing_compiler():
        pytest.skip(reason)
    if not all(Path(found).is_absolute() for found in sanitizers()):
        pytest.skip("the sanitizers' libraries are not installed (libasan, libubsan)")
    environment = os.environ | {
        "GPUCURATE_EMULATOR_SANITIZE": "1",
        "LD_PRELOAD": " ".join(sanitizers()),
        "ASAN_OPTIONS": "detect_leaks=0",
    }

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(
            command, env=environment, cwd=HERE.parents[1], capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.timeout(900)  # compiles every kernel, the first time
def test_kernels_touch_nothing_but_their_arrays(sanitized):
    done = sanitized(
        "-m", "pytest", HERE, "-p", "no:xdist", "-k", SELECTED, f"--ignore={HERE}/test_emulator.py"
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed[1]) > 30


@pytest.mark.parametrize(
    ("sample", "arrays", "complaint"),
    [
        ("read_beside", 2, "AddressSanitizer: use-after-poison"),
        ("write_behind", 1, "AddressSanitizer: use-after-poison"),
        ("write_before", 1, "AddressSanitizer: use-after-poison"),
        ("shift_too_far", 1, "runtime error: shift exponent 40 is too large"),
    ],
)
def test_what_a_device_would_not_notice_stops_the_process_and_names_the_line(
    sanitized, emulator_cache, sample, arrays, complaint
):
    source = HERE / "samples.cu"
    done = sanitized("-c", RUN_SAMPLE, source, emulator_cache, sample, arrays)
    line = next(n for n, text in enumerate(source.read_text().splitlines(), 1) if f" {sample}(" in text)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert f"samples.cu:{line}" in done.stderr
