"""The commit log on a disk that fails: what the next run believes is on disk."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpucurate.checkpoint.log import read_log
from tests.diskfaults.library import Faults, build

WRITER = """
import json, sys
from pathlib import Path
from gpucurate.checkpoint.log import CommitLog
from gpucurate.spec.errors import StorageError

said, log = [], CommitLog(Path(sys.argv[1]))
def attempt(call, *given):
    try:
        call(*given)
    except StorageError as error:
        said.append(str(error))
for number in range(4):
    attempt(log.append, {"n": number})
    attempt(log.flush)
    if number % 2:
        attempt(log.sync)
        said.append("synced")
attempt(log.close)
print(json.dumps(said))
"""


@pytest.fixture
def write(tmp_path, request):
    (tmp_path / "disk").mkdir()
    library = build(request.config.cache.mkdir("faults"))

    def write(at: int) -> tuple[Faults, Path, list[str]]:
        faults = Faults(tmp_path / "faults", (tmp_path / "disk").resolve())
        path = faults.under / "commit.log"
        path.unlink(missing_ok=True)
        environment = {**os.environ, "LD_PRELOAD": str(library), **faults.environment(at, errno.EIO)}
        done = subprocess.run(
            [sys.executable, "-c", WRITER, str(path)], env=environment, stdout=-1, stderr=-1, check=False
        )
        return faults, path, json.loads(done.stdout) if done.returncode == 0 else [done.stderr.decode()]

    return write


def test_records_whose_sync_failed_are_not_there_for_the_next_run(write):
    left = []
    for at in range(1, write(0)[0].calls + 1):
        faults, path, said = write(at)
        if faults.failed == ("fsync", str(path)):
            left.append(numbers(path))
            assert all("Input/output error" in each for each in said if each != "synced")
    assert left == [[], [0, 1]]


def test_after_a_record_that_could_not_be_written_the_log_takes_none(write):
    left = []
    for at in range(1, write(0)[0].calls + 1):
        faults, path, _ = write(at)
        if faults.failed == ("write", str(path)):
            left.append(numbers(path))
    assert left == [[], [0], [0, 1], [0, 1, 2]]


def numbers(path: Path) -> list[int]:
    return [record["n"] for record in read_log(path)]
