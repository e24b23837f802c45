"""Grouping divided over GPUs: of some bands each, a forest; ``merge_forests`` puts them together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.device_components import find_components_on_device
from gpucurate.dedup.forest_file import write_forest
from gpucurate.dedup.forests import divide_bands
from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.resident_keys import ResidentKeys
from gpucurate.ops.cuda import CUDA
from gpucurate.ops.cuda import Device as Where
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.resources import Resources
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.deduplication.resident import resident_keys
from gpucurate.tasks.file_group import FileGroupTask
from gpucurate.tasks.task import Task

FOREST_FOLDER = "_gpucurate/scratch/forests"


def forest_name(records: str, bands: Sequence[int]) -> str:
    """Name of the forest of some records by neighbouring bands, relative to the output."""
    return f"{FOREST_FOLDER}/{records}-{bands[0]}-{bands[-1]}.u32"


@dataclass
class BandTask(Task[list[int]]):
    """Bands whose equal keys are to be joined.

    Args:
        data: numbers of the bands; of keys of two words, both.
    """

    @property
    def num_items(self) -> int:
        """How many bands."""
        return len(self.data)


def band_tasks(bands: int, gpus: int, records: int, *, wide: bool = False) -> list[tuple[BandTask, int, str]]:
    """The tasks of all bands, one for each GPU that gets any, as ``units_of_tasks`` takes them.

    Args:
        bands: keys a document; with ``wide`` the two words of one key.
        gpus: how many there are.
        records: physical records of the whole input.
        wide: whether keys are 128 bits.

    Returns:
        Of each task: itself, bytes that it takes of the host, and what tells it from others.

    >>> [task.data for task, _, _ in band_tasks(5, 2, records=10**9)]
    [[0, 1, 2], [3, 4]]
    """
    forest = np.dtype(np.uint32).itemsize * records
    parts = divide_bands(bands, gpus, wide=wide)
    return [(BandTask("bands", part, f"bands {part}"), forest, f"bands {part}") for part in parts]


class BandGrouping(ProcessingStage[BandTask, FileGroupTask]):
    """Joins the documents that share a key of some bands, and writes the forest that results.

    Args:
        key_paths: key files of all units in order, None for one that could not be read.
        bases: id of each unit's first record, and the number of records at the end.
        wide: whether keys are 128 bits.
        memory: bytes of the GPU that a worker may use; what its pool has left if None.
        where: what computes; the worker's GPU if None.

    Raises:
        ConfigurationError: when it runs: the memory does not hold what grouping takes.
        StorageError: when it runs: a key file is not whole, or the forest cannot be written.
    """

    name = "band_grouping"
    devices = frozenset({"cuda"})
    resources = Resources(cpus=1.0, gpus=1.0)
    not_in_plan: ClassVar[tuple[str, ...]] = ("key_paths", "memory")

    def __init__(
        self,
        key_paths: Sequence[Path | None],
        bases: Sequence[int],
        *,
        wide: bool,
        memory: int | None = None,
        where: Where | None = None,
    ) -> None:
        self.key_paths = list(key_paths)
        self.bases = [int(base) for base in bases]
        self.not_read = [number for number, path in enumerate(key_paths) if path is None]
        self.wide = wide
        self.memory = memory
        self._where = where

    @property
    def grouped(self) -> str:
        """What tells these records from others: a unit that could be read after all changes them."""
        told = f"{self.bases} {self.not_read}".encode()
        return hashlib.blake2b(told, digest_size=4).hexdigest()

    def process(self, task: BandTask) -> FileGroupTask:
        """Join by the task's bands; the forest is the unit's output."""
        resident = resident_keys(self._gpu_memory)
        if self._gpu_memory is not None:
            self._gpu_memory.release()  # what batches left idle lies in pieces, and arrays here are large
        try:
            forest = self._join(task.data, resident)
        except ConfigurationError:
            if resident is None or not resident.spill():
                raise
            forest = self._join(task.data, None)  # from the key files, in the memory that is free now
        path, name = self.context.attempt_path(0), forest_name(self.grouped, task.data)
        size = write_forest(path, forest)
        self.context.outputs.append(OutputFile(name, str(path), len(forest), size, ""))
        return FileGroupTask("forest", [name], name)

    def _join(self, bands: Sequence[int], resident: ResidentKeys | None) -> npt.NDArray[np.uint32]:
        return find_components_on_device(
            KeySet(self.key_paths, np.array(self.bases, np.int64)),
            bands,
            wide=self.wide,
            memory=self.gpu_memory.free if self.memory is None else self.memory,
            device=self._where or CUDA,
            resident=resident,
        )
