"""What an executor takes as ``config``."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gpucurate.backends.settings import RunSettings
from gpucurate.spec.errors import ConfigurationError


@pytest.mark.parametrize(
    "key, value, why",
    [
        ("worker_max_lifetime", 3, "not known; there are: autoscale_interval_s, cpu_allocation_percentage"),
        ("execution_mode", "bach", "it can be 'streaming' or 'batch'"),
        ("fuse", "no", "fuse is 'no': it can be True or False"),
        ("ignore_failures", 1, "it can be True or False"),
        ("cpu_allocation_percentage", 95, "is 95: it must be above 0 and at most 1"),
        ("cpu_allocation_percentage", 0, "is 0: it must be above 0"),
        ("stall_timeout_s", "30", "stall_timeout_s is '30': it must be a number"),
        ("max_attempts", 1.5, "max_attempts is 1.5: it must be a whole number"),
        ("max_attempts", True, "it must be a whole number"),
        ("worker_max_units", "three", "worker_max_units is 'three': it must be a whole number"),
        ("worker_max_units", 0, "it must be above 0"),
        ("worker_max_lifetime_m", -1, "it must be above 0"),
        ("worker_restart_interval_m", -1, "worker_restart_interval_m is -1: it must be at least 0"),
        ("worker_max_growth", 0, "a size of '0' is not possible"),
        ("max_attempts", 0, "max_attempts is 0: it must be above 0"),
        ("worker_restart_interval_m", None, "it must be a number"),
        ("worker_max_growth", "2 apples", "worker_max_growth: '2 apples' is not a size"),
        ("worker_max_leak", "much", "worker_max_leak: 'much' is not a size"),
        ("max_bisections", 0, "max_bisections is 0: it must be above 0"),
    ],
)
def test_what_cannot_be_is_told_with_its_key_before_anything_runs(key, value, why):
    with pytest.raises(ConfigurationError, match=re.escape(why)):
        RunSettings.of({key: value})


def test_numbers_of_numpy_and_sizes_as_text_are_taken():
    given = {"worker_max_units": np.int64(3), "stall_timeout_s": np.float32(9), "worker_max_growth": "2GB"}
    settings = RunSettings.of({**given, "worker_restart_interval_m": 0})
    assert settings.recycles
    assert (settings.max_growth_bytes, settings.worker_max_units) == (2 * 10**9, 3)
