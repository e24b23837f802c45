"""A place between two stages at which a later run may begin."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import ClassVar, Self

from gpucurate.io.batch_file import on_host
from gpucurate.io.batch_saver import BatchSaver
from gpucurate.spec.errors import ConfigurationError, StageError
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch


class Checkpoint(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Keeps the batches that pass, with all that a later run needs to go on from them.

    The batches go on as they came. A thread writes them, as Arrow with zstd, 64 MiB behind at most. When
    the stages before it are done with a unit of work, its files are made final and recorded, together with
    what those stages counted, rejected and wrote aside: a unit is in the checkpoint whole, or it is not.

    A later run of a pipeline that is the same up to here, over the same input, takes up what is there,
    and of the stages up to here runs none; units that are not there begin with the input. Its output is
    the same, byte for byte. Stages behind may differ, and so may the output.

    On a GPU the host's copy is written, and a worker ends here: the stages behind take the batch up again.

    Args:
        path: a folder of its own, local or mounted, outside input and output.
        name: for messages and the report.

    Raises:
        ConfigurationError: a URL.

    >>> stages = [JsonlReader("in/"), Expensive(), Checkpoint("scored/"), Threshold(0.5), JsonlWriter("out/")]
    """

    name = "checkpoint"
    follows_device = True
    is_checkpoint = True
    not_in_plan: ClassVar[tuple[str, ...]] = ("path",)

    def __init__(self, path: str | PathLike[str], *, name: str | None = None) -> None:
        if "://" in fspath(path):
            raise ConfigurationError(
                f"the checkpoint {fspath(path)} is no local folder: give one, or one that is mounted"
            )
        self.path = Path(path)
        self.name = name or self.name
        self._attempts: Path | None = None
        self._saver: BatchSaver | None = None

    def within(self, attempts: Path) -> Self:
        """The stage as a run uses it: with the folder for files that are not final yet."""
        placed = copy.copy(self)
        placed._attempts = attempts
        return placed

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; what a failed one has left is removed."""
        if self._saver is not None:
            self._saver.abandon()
        self._saver = None
        super().bind(context)

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The batch on the host, which is being written meanwhile."""
        if type(task) is not DocumentBatch:
            raise StageError(
                f"stage {self.name!r} was given a {type(task).__name__}: it keeps batches of documents",
                self.name,
            )
        batch = on_host(task)
        kept = copy.copy(batch)
        if kept._origin is not None:
            kept._origin = self.context.placed(kept._origin)
        self._open().put(kept)
        return batch

    def flush(self) -> Sequence[DocumentBatch]:
        """Wait for the unit's batches to be written."""
        files = self._open().close(self.context.sync, "{:04d}.arrow".format)
        self.context.saved.extend(files)
        self._saver = None
        return ()

    def _open(self) -> BatchSaver:
        if self._attempts is None:
            raise RuntimeError(f"stage {self.name!r} was called outside a run")
        if self._saver is None:
            folder, prefix = self._attempts, self.context.prefix
            self._saver = BatchSaver(lambda number: folder / f"{prefix}-{number:04d}")
        return self._saver
