"""From options to the executor that they ask for."""

from __future__ import annotations

import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.cli.options import ExecutorKind, RunOptions
from gpucurate.cli.running import executor_for
from gpucurate.spec.errors import UsageError


def test_a_time_for_stalls_asks_for_workers_that_can_be_looked_after():
    executor = executor_for(RunOptions(stall_timeout=90.0), None, 1)
    assert isinstance(executor, LocalExecutor)
    assert executor.settings.stall_timeout_s == 90.0
    executor = executor_for(RunOptions(stall_timeout=5.0, workers=2), None, 1)
    assert executor.settings.stall_timeout_s == 5.0


def test_this_process_has_nobody_to_look_after_it():
    with pytest.raises(UsageError, match="leave --stall-timeout out, or give --executor local"):
        executor_for(RunOptions(stall_timeout=90.0, executor=ExecutorKind.inline), None, 1)


def test_without_it_small_inputs_are_done_here_and_the_default_is_half_an_hour():
    assert isinstance(executor_for(RunOptions(), None, 1), InlineExecutor)
    executor = executor_for(RunOptions(workers=2), None, 1)
    assert executor.settings.stall_timeout_s == 1800.0
