"""Stages that cause trouble. Little is imported here: each worker does it again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gpucurate.stages.base import ProcessingStage


class Sieve(ProcessingStage):
    """Keeps documents whose number ``every`` does not divide, and takes its time."""

    not_in_plan = ("seconds",)

    def __init__(self, every: int = 3, seconds: float = 0.0) -> None:
        self.every, self.seconds = every, seconds

    def inputs(self):
        return ["data"], ["id"]

    def process(self, batch):
        self.count("seen", batch.num_items)
        time.sleep(self.seconds)
        return batch.select(batch.to_pyarrow()["id"].to_numpy() % self.every != 0)


class Sieve2(Sieve):
    """Another, so that both have names of their own."""


class LeavesAChild(ProcessingStage):
    """Forks a process that holds all that the worker has open, and kills the worker once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def process(self, batch):
        child = os.fork()
        if not child:
            time.sleep(100)
            os._exit(0)
        (self.folder / f"child-{child}").touch()
        if not (self.folder / "killed").exists():
            (self.folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return batch


class HalfWritten(ProcessingStage):
    """Hands a batch on and ends its worker at the next, once for each unit."""

    splittable = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def process(self, batch):
        yield batch
        mark = self.folder / f"met-{batch.to_pyarrow()['id'][0].as_py()}"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class StopsOnce(ProcessingStage):
    """Stops its process (SIGSTOP) in the middle of a row of short units, while more are sent to it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def process(self, batch):
        if batch.to_pyarrow()["id"][0].as_py() == 60 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return batch
