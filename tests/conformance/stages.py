"""Stages that every executor is tried with; importable, so that workers of all kinds find them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gpucurate.stages.base import ProcessingStage

POISON = 45
"""Number of the document that is trouble."""


class Even(ProcessingStage):
    """Keeps documents with an even number, leaves a mark for each call, and counts."""

    def __init__(self, folder: Path, fails: str = ""):
        self.folder, self.fails = str(folder), fails

    def mark(self, what: str) -> None:
        (Path(self.folder) / f"{what}-{os.getpid()}-{time.monotonic_ns()}").touch()
        if what == self.fails:
            raise OSError(f"no {what} today")

    def inputs(self):
        return ["data"], ["id"]

    def setup_on_node(self, node_info=None, worker_metadata=None):
        self.mark("node")

    def setup(self, worker_metadata=None):
        self.model = 2
        self.mark("setup")

    def process(self, batch):
        self.mark("process")
        self.count("seen", batch.num_items)
        return batch.select(batch.to_pandas()["id"].to_numpy() % self.model == 0)

    def teardown(self):
        self.mark("teardown")


class Length(ProcessingStage):
    """Adds the length of each document: a column that the writer has to write."""

    def inputs(self):
        return ["data"], ["text"]

    def outputs(self):
        return ["data"], ["length"]

    def process(self, batch):
        return batch.assign({"length": batch.to_pandas()["text"].str.len()})


class Trouble(ProcessingStage):
    """Raises, or ends its process once, where it meets the document."""

    def __init__(self, folder: Path, what: str):
        self.folder, self.what = str(folder), what

    def process(self, batch):
        if POISON in batch.to_pyarrow()["id"].to_pylist():
            if self.what == "raise":
                raise ValueError(f"document {POISON} is bad")
            mark = Path(self.folder) / "met"
            if self.what == "die" and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return batch


class WholeTrouble(Trouble):
    """The same, of a stage that must see its batches whole."""

    splittable = False


class Always(ProcessingStage):
    """Raises whatever it is given."""

    splittable = False

    def process(self, batch):
        raise KeyError("id")
