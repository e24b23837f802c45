"""What has never run on a device is tested first there."""

import subprocess
import sys

from gpucurate.ops.kernels import kernel_names
from tests.gpu.order import NEVER, kernels_in, kernels_that_never_ran, rank

PAGE = f"""| `ops.one` | `f` | `minhash` | abc1234 on an H100 |
| `ops.two` | `g` | `fss_first`, `fss_rest` {NEVER}"""


def test_the_page_says_what_has_not_run():
    assert kernels_that_never_ran(PAGE) == {"fss"}


def test_the_new_go_first_and_what_needs_no_device_last():
    new, old, anywhere = (
        rank(True, "fss", {"fss"}),
        rank(True, "minhash", {"fss"}),
        rank(False, "fss", {"fss"}),
    )
    assert new == rank(True, None, {"fss"}) < old < anywhere


def test_every_kernel_is_found_in_its_source():
    assert all(kernels_in(name) for name in kernel_names())


def test_pytest_follows_that_order(repository):
    command = [sys.executable, "-m", "pytest", "--collect-only", "tests/gpu/test_smoke.py"]
    listed = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    on_device = ["on_this_device" in line for line in listed.splitlines() if "test_smoke.py::" in line]
    assert on_device == sorted(on_device, reverse=True)
    assert 0 < sum(on_device) < len(on_device)
