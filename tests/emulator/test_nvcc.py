"""Every kernel compiles for the device we aim at, and keeps its registers."""

import re
import shutil
import subprocess

import pytest

from gpucurate.ops.kernels import kernel_names, kernel_path

OPTIONS = {"minhash": [["-DLANE_MULTIPLIERS=1"], ["-DLANE_MULTIPLIERS=2"], ["-DLANE_MULTIPLIERS=8"]]}
VARIANTS = [(name, options) for name in kernel_names() for options in OPTIONS.get(name, [[]])]


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc: the CUDA compiler is not installed")
@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=str)
def test_a_kernel_compiles_for_sm_90_and_spills_no_register(name, options, tmp_path):
    output = ["-std=c++17", "-arch=sm_90", "-cubin", "-Xptxas", "-v", "-o", str(tmp_path / "out.cubin")]
    command = ["nvcc", *output, *options, str(kernel_path(name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    spills = [int(count) for count in re.findall(r"(\d+) bytes spill", done.stderr)]
    assert spills
    assert not any(spills), done.stderr
