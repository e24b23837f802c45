"""How torch is told to share, and when it is too late."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from gpucurate.memory.torch_pool import (
    BACKEND,
    TorchState,
    fraction_of,
    refusal,
    release_torch_cache,
    share_with_torch,
)
from gpucurate.spec.errors import ConfigurationError, DeviceError
from tests.device import missing_device

FRESH = TorchState(imported=False, touched=False, backend=None)
LOADED = TorchState(imported=True, touched=False, backend="native")
TOUCHED = TorchState(imported=True, touched=True, backend="native")
CHOSEN = TorchState(imported=True, touched=True, backend=BACKEND)

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed (gpucurate[inference])"
)


def in_a_process(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_separate_budgets_can_be_set_at_any_time():
    assert [refusal("separate", state) for state in (FRESH, LOADED, TOUCHED, CHOSEN)] == [None] * 4


def test_torch_allocates_from_rmm_only_before_it_used_cuda():
    assert refusal("rmm", FRESH) is refusal("rmm", LOADED) is None
    assert "has used CUDA already" in refusal("rmm", TOUCHED)


def test_torch_uses_the_drivers_pool_only_if_told_before_it_was_loaded():
    assert refusal("driver", FRESH) is refusal("driver", CHOSEN) is None
    assert "PYTORCH_ALLOC_CONF=backend:cudaMallocAsync" in refusal("driver", LOADED)


def test_a_limit_is_needed_but_where_the_pools_counts():
    with pytest.raises(ConfigurationError, match="separate needs a limit"):
        share_with_torch("separate")
    with pytest.raises(ConfigurationError, match="driver needs a limit"):
        share_with_torch("driver")
    with pytest.raises(ConfigurationError, match="rmm has the limit of the pool"):
        share_with_torch("rmm", 1000)


def test_a_limit_is_a_share_of_the_device():
    assert fraction_of(40 * 10**9, 80 * 10**9) == 0.5
    for limit in (0, 81 * 10**9):
        with pytest.raises(ConfigurationError, match=r"80\.0 GB"):
            fraction_of(limit, 80 * 10**9)


def test_the_cache_of_a_torch_that_is_not_loaded_is_left_alone():
    code = (
        "from gpucurate.memory.torch_pool import *; import sys; release_torch_cache(); print(torch_state())"
    )
    assert in_a_process(code + "; print('torch' in sys.modules)") == [str(FRESH), "False"]


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_without_torch_the_package_to_install_is_named():
    with pytest.raises(DeviceError, match=r"pip install 'gpucurate\[inference\]'"):
        share_with_torch("separate", 1000)


@pytest.mark.skipif(missing_device() is None, reason="there is a GPU")
@pytest.mark.parametrize(("given", "expected"), [
    ({}, f"backend:{BACKEND} None"),
    ({"PYTORCH_ALLOC_CONF": "backend:native,garbage_collection_threshold:0.8"},
     f"backend:{BACKEND},garbage_collection_threshold:0.8 None"),
    ({"PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:64"}, f"None backend:{BACKEND},max_split_size_mb:64"),
])  # fmt: skip
def test_the_drivers_pool_is_chosen_by_the_variable_that_torch_reads(given, expected):
    code = """
import os
from gpucurate.memory.torch_pool import share_with_torch
from gpucurate.spec.errors import DeviceError
try:
    share_with_torch("driver", 1000)
except DeviceError:
    print(os.environ.get("PYTORCH_ALLOC_CONF"), os.environ.get("PYTORCH_CUDA_ALLOC_CONF"))
"""
    assert in_a_process(code, **given) == [expected]


@needs_torch
@pytest.mark.skipif(missing_device() is None, reason="there is a GPU")
def test_a_torch_without_a_gpu_is_told():
    import torch  # noqa: F401

    release_torch_cache()
    with pytest.raises(DeviceError, match="torch sees no GPU"):
        share_with_torch("separate", 1000)
