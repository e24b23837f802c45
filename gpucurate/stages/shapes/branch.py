"""Rows that are written aside."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from os import PathLike, fspath
from pathlib import PurePosixPath
from typing import Any, ClassVar, Self

import pyarrow as pa

from gpucurate.frame import table as frame
from gpucurate.frame.arrays import values_of
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.place import Place, Url
from gpucurate.spec.source import FileFormat
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.stages.specification import is_own
from gpucurate.stages.text.io.writer import DocumentWriter
from gpucurate.tasks.document import DocumentBatch

Predicate = Callable[[DocumentBatch], Any]

_RUN_FOLDER = "_gpucurate"


class Branch(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Writes the rows for which a predicate holds to a folder of the output, and lets the others go on.

    The folder lies within the output of the pipeline's writer, so that both are committed together, unit
    by unit, and a run that is killed and goes on writes the same bytes to both. Files are named after
    their input, as the writer names them; a file range of which no row is written aside gives no file.

    The books count the rows as ``dropped["branch: <folder>"]``, since they are not in the main output;
    with ``copy`` they are in both, and not dropped. ``report.counts["written to <folder>"]`` has them
    either way.

    Args:
        predicate: name of a bool column; or a function that gives, for a batch, a bool for each row, as
            a list or an array of any engine. On a GPU the batch is cuDF.
        to: name of the folder, relative to the output; or a writer whose path lies in the output, whose
            ``fields``, format and compression hold.
        copy: let these rows go on too.
        columns: columns that the function needs.
        name: for messages and the books; ``branch`` if not given.

    Raises:
        ConfigurationError: a folder that is no plain relative path, or that is not gpucurate's to give;
            a writer of another kind.

    >>> Branch(lambda batch: batch.to_pandas()["score"] < 0.2, to="low", columns=["score"])
    """

    name = "branch"
    follows_device = True
    not_in_plan: ClassVar[tuple[str, ...]] = ("to",)

    def __init__(
        self,
        predicate: str | Predicate,
        to: str | PathLike[str] | DocumentWriter,
        *,
        copy: bool = False,
        columns: Iterable[str] = (),
        name: str | None = None,
    ) -> None:
        if not isinstance(predicate, str) and not callable(predicate):
            raise ConfigurationError(
                f"the predicate {predicate!r} of a branch is neither the name of a column nor a function"
            )
        self.predicate = predicate
        self.copies = copy
        self.columns = [predicate] if isinstance(predicate, str) else list(columns)
        self.name = name or self.name
        self.to = to
        self.fields: list[str] | None = None
        self.format: FileFormat | None = None
        self.compression: str | None = None
        self._writer: _AsideWriter | None = None
        self.folder = self._take_writer(to) if isinstance(to, DocumentWriter) else self._folder(fspath(to))

    def _take_writer(self, writer: DocumentWriter) -> str:
        if not is_own(type(writer)):
            raise ConfigurationError(
                f"stage {self.name!r} cannot write by a {type(writer).__name__}: give the name of a folder, "
                "or a JsonlWriter, ParquetWriter or DocumentWriter"
            )
        self.fields, self.format, self.compression = writer.fields, writer.format, writer.compression
        return writer.path.as_posix()  # relative to the output, once that is known

    def _folder(self, given: str) -> str:
        path = PurePosixPath(given)
        parts = path.parts
        if path.is_absolute() or not parts or ".." in parts or parts[0] == _RUN_FOLDER:
            raise ConfigurationError(
                f"stage {self.name!r} writes to {given!r}, which is no folder of its own within the output: "
                'give a relative name, such as "aside"'
            )
        return path.as_posix()

    def within(self, output: Place) -> Self:
        """The branch with its folder, for the output of a pipeline.

        Raises:
            ConfigurationError: its writer's path does not lie in ``output``.
        """
        if not isinstance(self.to, DocumentWriter):
            return self
        name = _name_below(self.to.path, output)
        if name is None:
            raise ConfigurationError(
                f"stage {self.name!r} writes to {self.to.path}, which does not lie in the output {output}: "
                'both are committed together, so give a folder there, such as to="aside"'
            )
        placed = copy.copy(self)
        placed.folder = self._folder(name)
        return placed

    def inputs(self) -> StageIO:
        """The columns that the predicate and the writer need."""
        return ["data"], list(dict.fromkeys([*self.columns, *(self.fields or [])]))

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; files that a failed unit left open are given up."""
        if self._writer is not None:
            self._writer.bind(None)
        self._writer = None if context is None else _AsideWriter(self)
        if self._writer is not None:
            self._writer.bind(context)
        super().bind(context)

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The rows that go on."""
        mask = frame.as_mask(self._holds(task), task.num_items)
        aside = int(mask.sum())
        if not aside:
            return task
        rest = task if self.copies else task.select(~mask)
        self._open().process(task if aside == task.num_items else task.select(mask))
        self.count(f"written to {self.folder}", aside)
        if not self.copies:
            self.count_dropped(self.folder, aside)
        return rest

    def flush(self) -> Sequence[DocumentBatch]:
        """Close the unit's files; they are outputs of the unit, and no tasks."""
        list(self._open().flush())
        return ()

    def _open(self) -> _AsideWriter:
        if self._writer is None:
            raise RuntimeError(f"stage {self.name!r} was called outside a run")
        return self._writer

    def _holds(self, task: DocumentBatch) -> Any:
        if isinstance(self.predicate, str):
            column = frame.column_as_arrow(task.data, self.predicate)
            is_mask = pa.types.is_boolean(column.type) and not column.null_count
            return values_of(column) if is_mask else column
        return self.predicate(copy.copy(task.moved_to(task.device, as_frame=True)))


class _AsideWriter(DocumentWriter):
    """Writes to the folder of a branch."""

    def __init__(self, branch: Branch) -> None:
        super().__init__("", branch.fields, format=branch.format, compression=branch.compression)
        self.name = branch.name
        self.folder = branch.folder

    def final_name(self, name: str) -> str:
        """Beneath the folder."""
        return f"{self.folder}/{name}"


def _name_below(path: Place, output: Place) -> str | None:
    """The name of a place within the output; None if it does not lie there."""
    if isinstance(path, Url):
        return path.within(output)
    if isinstance(output, Url):
        return None
    inner, root = path.resolve(), output.resolve()
    return inner.relative_to(root).as_posix() if inner.is_relative_to(root) else None
