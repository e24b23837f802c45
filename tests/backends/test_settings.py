"""Settings of a run: what cannot be is a sentence before the run, and not a surprise in it."""

from __future__ import annotations

import pytest

from gpucurate.backends.settings import RunSettings
from gpucurate.spec.errors import ConfigurationError


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"autoscale_interval_s": "10"}, "autoscale_interval_s is '10': it must be a number"),
        ({"max_attempts": 0}, "max_attempts is 0: it must be above 0"),
        ({"worker_max_units": True}, "worker_max_units is True: it must be a number"),
        ({"worker_restart_interval_m": -1}, "worker_restart_interval_m is -1: it must be at least 0"),
        ({"worker_max_growth": 0}, "a size of 0 is not possible"),
        ({"worker_max_growth": "much"}, "'much' is not a size"),
        ({"cpu_allocation_percentage": 1.5}, "it must be above 0 and at most 1"),
        ({"cpu_allocation_percentage": None}, "cpu_allocation_percentage is None: it must be a number"),
        ({"execution_mode": "lazy"}, "it can be 'streaming' or 'batch'"),
        ({"executor_mode": "batch"}, "config has 'executor_mode', which is not known"),
    ],
)
def test_a_setting_that_cannot_be_is_a_sentence(given, said):
    with pytest.raises(ConfigurationError, match=said):
        RunSettings.of(given)


def test_settings_that_replace_workers_say_so():
    assert not RunSettings().recycles
    assert RunSettings(worker_max_growth="2GB").recycles
    assert RunSettings(worker_restart_interval_m=0, worker_max_units=5).recycles
