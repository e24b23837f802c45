"""The lock of a run folder on a disk that machines share."""

from __future__ import annotations

import json

import pytest

from gpucurate.checkpoint.lock import OwnerLock
from gpucurate.spec.errors import OutputInUseError


def test_a_lock_that_another_machine_left_is_taken_over_when_that_is_asked_for(tmp_path):
    first = OwnerLock(tmp_path)
    (tmp_path / "lock").write_text(json.dumps({"host": "elsewhere", "pid": 7}))
    with pytest.raises(OutputInUseError, match="process 7 on elsewhere"):
        OwnerLock(tmp_path)
    with OwnerLock(tmp_path, take_over=True) as second:
        assert second.epoch == first.epoch + 1
        with pytest.raises(OutputInUseError):
            OwnerLock(tmp_path)
    first.close()


def test_a_process_of_this_machine_that_runs_is_never_taken_over(tmp_path):
    with OwnerLock(tmp_path), pytest.raises(OutputInUseError):
        OwnerLock(tmp_path, take_over=True)
