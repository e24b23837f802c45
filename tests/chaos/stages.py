"""Stages that cause trouble. Little is imported here: each worker does it again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gpucurate.spec.resources import Resources
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


class Moody(ProcessingStage):
    """A stage whose life fails in one way: what ``setup``, ``teardown`` or a document does is told by it.

    Args:
        folder: where it keeps count, over all workers.
        sets_up: calls of ``setup`` that fail, by their number, as a string of ``.`` (good), ``x`` (raises),
            ``z`` (hangs) or ``k`` (ends the process); all that come later are good.
        tears_down: what ``teardown`` does: "", "raises" or "hangs".
        leaks: bytes that each batch leaves behind.
        seconds: that a batch takes.
    """

    def __init__(self, folder: Path, sets_up: str = "", tears_down: str = "", leaks: int = 0, seconds=0.02):
        self.folder, self.sets_up, self.tears_down = folder, sets_up, tears_down
        self.leaks, self.seconds = leaks, seconds

    def setup(self, worker_metadata=None):
        self.held = []
        mood = self.sets_up[self._turn() :][:1]
        if mood == "x":
            raise ConnectionError("the model's server does not answer")
        if mood == "z":
            time.sleep(1000)
        if mood == "k":
            os.kill(os.getpid(), signal.SIGKILL)

    def _turn(self) -> int:
        turn = 0
        while True:
            try:
                (self.folder / f"setup-{turn}").touch(exist_ok=False)
            except FileExistsError:
                turn += 1
            else:
                return turn

    def process(self, batch):
        self.count("seen", batch.num_items)
        time.sleep(self.seconds)
        if self.leaks:
            self.held.append(b"x" * self.leaks)
        return batch

    def teardown(self):
        (self.folder / f"teardown-{os.getpid()}").touch()
        if self.tears_down == "hangs":
            time.sleep(1000)
        if self.tears_down == "raises":
            raise OSError("no teardown today")


class Poison(ProcessingStage):
    """Cannot do one document: ``kills`` or ``raises``."""

    def __init__(self, document: int, what: str) -> None:
        self.document, self.what = document, what

    def inputs(self):
        return ["data"], ["id"]

    def process(self, batch):
        if self.document in batch.to_pyarrow()["id"].to_pylist():
            if self.what == "kills":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError(f"document {self.document} is bad")
        return batch


class WholePoison(Poison):
    """The same, of a stage that must see its batches whole."""

    splittable = False


class LacksMemoryOnce(ProcessingStage):
    """Raises MemoryError for the first large batch that any worker is given."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def process(self, batch):
        time.sleep(0.1)
        if not self.mark.exists() and batch.num_items > 1:
            self.mark.touch()
            raise MemoryError
        self.count(f"worker {os.getpid()}: {batch.num_items} documents")
        return batch


class TellsEnvironment(ProcessingStage):
    """Counts what the worker's process is like."""

    not_in_plan = ("about",)

    def __init__(self, *about: str) -> None:
        self.about = about
        self.loaded = {name: os.environ.get(name, "none") for name in about}

    def __setstate__(self, state):
        """Loaded in a worker: what was there before anything else was."""
        self.__dict__.update(state)
        self.loaded = {name: os.environ.get(name, "none") for name in self.about}

    def process(self, batch):
        import sys

        for name in self.about:
            self.count(f"{name}={self.loaded[name]}")
        self.count(f"python={sys.prefix}")
        return batch


class Elsewhere(TellsEnvironment):
    """Another."""


class Crew(ProcessingStage):
    """A gang that adds up the ranks of all its members by torch in ``setup``."""

    gang = True

    def num_workers(self):
        return 2

    def setup(self, worker_metadata=None):
        import torch
        import torch.distributed as group

        me = worker_metadata
        group.init_process_group(
            "gloo", init_method=f"tcp://{me.address}", rank=me.rank, world_size=me.world_size
        )
        total = torch.tensor([me.rank + 1])
        group.all_reduce(total)
        self.total, self.rank = int(total), me.rank
        group.destroy_process_group()

    def process(self, batch):
        time.sleep(0.05)
        self.count(f"total={self.total}")
        self.count(f"rank={self.rank}")
        return batch


class OncePerNode(ProcessingStage):
    """Leaves a mark for each call of ``setup_on_node``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def setup_on_node(self, node_info=None, worker_metadata=None):
        (self.folder / f"node-{time.monotonic_ns()}").touch()

    def process(self, batch):
        return batch


class Sieve3(Sieve):
    """One more."""


class Sieve4(Sieve):
    """And one more."""


class OnGpu(ProcessingStage):
    """Takes batches as they are, on a GPU."""

    resources = Resources(gpus=1)
    follows_device = True  # so that no cuDF is needed

    def process(self, batch):
        return batch


class OnGpu2(OnGpu):
    """Another."""


class Removes(ProcessingStage):
    """Removes a file that is yet to be read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def process(self, batch):
        self.path.unlink(missing_ok=True)
        return batch
