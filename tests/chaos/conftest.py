"""Seeds that are printed, observers, corpora, small disks."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpucurate.spec.progress import Silent
from tests.backends.corpus import write_corpus

SCRIPT = Path(__file__).with_name("script.py")


@pytest.fixture
def rng() -> random.Random:
    """Random choices; pytest shows the seed of a test that fails. ``GPUCURATE_CHAOS_SEED`` repeats it."""
    seed = int(os.environ.get("GPUCURATE_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    print(f"GPUCURATE_CHAOS_SEED={seed}")
    return random.Random(seed)


class Ear(Silent):
    """Notes what it hears, and when (``time.monotonic()``)."""

    def __init__(self) -> None:
        self.troubles: list[tuple[float, str]] = []
        self.commits: list[float] = []

    def trouble(self, message: str) -> None:
        self.troubles.append((time.monotonic(), message))

    def unit_committed(self, result: object, input_bytes: int) -> None:
        self.commits.append(time.monotonic())

    def heard(self, words: str) -> bool:
        """Whether any trouble had these words."""
        return any(words in message for _, message in self.troubles)


@pytest.fixture
def ear() -> Ear:
    """An observer."""
    return Ear()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Six files of 20 rows."""
    return write_corpus(tmp_path / "in")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB, where tests may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no permission to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def start(tmp_path):
    """Starts the script; whatever is left of it ends with the test."""
    started = []

    def start(
        corpus: Path, output: Path, seconds: float, *, tmp: Path | None = None, **config: object
    ) -> subprocess.Popen[str]:
        paths = os.pathsep.join([str(SCRIPT.parents[2]), os.environ.get("PYTHONPATH", "")])
        started.append(
            subprocess.Popen(
                [sys.executable, str(SCRIPT), str(corpus), str(output), str(seconds), json.dumps(config)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                env={**os.environ, "PYTHONPATH": paths, **({"TMPDIR": str(tmp)} if tmp else {})},
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
