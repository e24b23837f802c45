"""The library of faults does what its tests take it to do: it fails what it is asked to, and forgets."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.diskfaults.library import Faults, build
from tests.diskfaults.power import fail_power

WRITE = "import os; f = os.open('new', os.O_WRONLY | os.O_CREAT); os.write(f, b'some bytes'); "
SYNC_FILE, SYNC_FOLDER = "os.fsync(f); ", "os.fsync(os.open('.', os.O_RDONLY)); "
RENAME = "os.rename('new', 'old'); "


@pytest.fixture
def disk(tmp_path: Path) -> Faults:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "old").write_bytes(b"what was there")
    return Faults(tmp_path / "faults", (tmp_path / "disk").resolve())


@pytest.fixture
def run(disk: Faults, request: pytest.FixtureRequest):
    cache = request.config.cache
    assert cache is not None
    library = build(cache.mkdir("faults"))

    def run(code: str, at: int = 0, how: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LD_PRELOAD": str(library), **disk.environment(at, how, logs=True)}
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            cwd=disk.under, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def there(disk: Faults) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in disk.under.iterdir()}


def test_the_call_of_the_number_fails_with_the_error_and_no_other(disk: Faults, run) -> None:
    done = run(WRITE + SYNC_FILE, at=3, how=errno.EDQUOT)
    assert "OSError: [Errno 122] Disk quota exceeded" in done.stderr
    assert disk.failed == ("fsync", str(disk.under / "new"))
    assert disk.calls == 3
    assert there(disk)["new"] == b"some bytes"


def test_calls_are_counted_over_processes_and_paths_elsewhere_are_not(disk: Faults, run) -> None:
    elsewhere = str(disk.state / "elsewhere")
    run(WRITE + f"os.fork(); os.close(os.open({elsewhere!r}, os.O_CREAT)); os.mkdir(f'{{os.getpid()}}')")
    assert disk.calls == 4


def test_without_an_error_the_process_is_killed_before_the_call(disk: Faults, run) -> None:
    assert run(WRITE + RENAME, at=3).returncode == -signal.SIGKILL
    assert there(disk)["old"] == b"what was there"


@pytest.mark.parametrize(
    ("code", "left"),
    [
        (WRITE, {"old": b"what was there"}),
        (WRITE + SYNC_FILE, {"old": b"what was there"}),
        (WRITE + SYNC_FOLDER, {"old": b"what was there", "new": b""}),
        (WRITE + SYNC_FILE + SYNC_FOLDER, {"old": b"what was there", "new": b"some bytes"}),
        (WRITE + SYNC_FILE + SYNC_FOLDER + RENAME, {"old": b"what was there", "new": b"some bytes"}),
        (WRITE + SYNC_FILE + RENAME + SYNC_FOLDER, {"old": b"some bytes"}),
        (WRITE + RENAME + SYNC_FOLDER, {"old": b""}),
        (SYNC_FOLDER.replace("os", "import os; os", 1) + "os.unlink('old')", {"old": b"what was there"}),
    ],
    ids=["nothing", "no name", "no bytes", "all", "renamed, no name", "renamed", "renamed, no bytes", "gone"],
)  # fmt: skip
def test_only_what_was_synced_outlasts_the_power(
    disk: Faults, run, code: str, left: dict[str, bytes]
) -> None:
    done = run(code)
    assert done.returncode == 0, done.stderr
    fail_power(disk, random.Random(0), lose_all=True)
    assert there(disk) == left


def test_what_was_not_synced_may_be_anything(disk: Faults, run) -> None:
    run(WRITE + SYNC_FOLDER)
    kept = there(disk)["new"]
    seen = set()
    for seed in range(40):
        fail_power(disk, random.Random(seed))
        seen.add(there(disk)["new"])
        (disk.under / "new").write_bytes(kept)
    assert {b"some bytes", bytes(10)} < seen
    assert any(len(content) < 10 for content in seen)
