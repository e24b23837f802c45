"""Last stages: documents to files, named after the files they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from gpucurate.frame import table as frame
from gpucurate.io.jsonl.members import refuse_reserved
from gpucurate.io.jsonl.splice import set_fields
from gpucurate.io.output_name import output_kind, output_name
from gpucurate.io.piece import LinesOriginal, TableOriginal
from gpucurate.io.sink import FORMATS, Sink, check_kind, compressions, open_sink
from gpucurate.spec.errors import ConfigurationError, StageError
from gpucurate.spec.place import place_of
from gpucurate.spec.source import FileFormat
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.file_group import FileGroupTask
from gpucurate.tasks.origin import Origin

MOST_OPEN = 64
"""Files that a unit holds open. It goes through its input in order, so one would do, but stages
may hold batches of some files back."""

CLOSED_AT_A_TIME = 32
"""Of many files, so many are closed together."""


class DocumentWriter(ProcessingStage[DocumentBatch, FileGroupTask]):
    """Documents to files under ``path``, one for each range that was read.

    As long as stages before it only dropped rows or set columns, the records are copied
    as they stood in the input, fields that were never read included.

    Args:
        path: folder of the output, or the URL of one in a store.
        fields: only these columns, of the batch as it arrives; None for whole records.
        format: of the output; the input's if None.
        compression: ``none``, ``gzip``, ``zstd`` (JSONL) or ``none``, ``snappy``, ``zstd``
            (Parquet); None keeps the input's (JSONL) or takes zstd (Parquet).

    Raises:
        ConfigurationError: a format or compression that is not known.
    """

    name = "writer"
    follows_device = True
    default_format: ClassVar[FileFormat | None] = None
    not_in_plan: ClassVar[tuple[str, ...]] = ("path", "_sinks", "_written")

    def __init__(
        self,
        path: str | PathLike[str],
        fields: Sequence[str] | None = None,
        *,
        format: FileFormat | None = None,
        compression: str | None = None,
    ) -> None:
        self.path = place_of(path)
        self.fields = None if fields is None else list(fields)
        self.format = format or self.default_format
        self.compression = compression
        self._sinks: dict[str, tuple[Sink, Path]] = {}
        self._written: dict[str, OutputFile] = {}
        check_output_kind(self.format, compression)

    def inputs(self) -> tuple[list[str], list[str]]:
        """The fields to be written, if they were named."""
        return ["data"], list(self.fields or [])

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; sinks that a failed unit left open are given up."""
        for sink, _ in self._sinks.values():
            sink.abandon()
        self._sinks, self._written = {}, {}
        super().bind(context)

    def process(self, task: DocumentBatch) -> None:
        """Append the batch to the file of its range."""
        format, compression = self._kind(task)
        origin = task._origin or Origin(None, f"batch-{self.context.unit_index:05d}.{format}")
        name = output_name(origin.name, origin.ordinal, origin.count, format, compression)
        self._write(self._sink(self.final_name(name), format, compression), task, format)

    def flush(self) -> Iterator[FileGroupTask]:
        """Close the unit's files and hand on their names."""
        self._close(list(self._sinks))
        for output in sorted(self._written.values(), key=lambda o: (len(o.attempt), o.attempt)):
            self.context.outputs.append(output)
            yield FileGroupTask("output", [str(self.path / output.name)], output.name)
        self._written = {}

    def final_name(self, name: str) -> str:
        """Where an output goes beneath the output folder, by the name that it has after its input."""
        return name

    def _kind(self, task: DocumentBatch) -> tuple[FileFormat, str]:
        if task._origin and task._origin.source:
            return output_kind(task._origin.source.file, self.format, self.compression)
        format = self.format or "jsonl"
        return format, self.compression or ("zstd" if format == "parquet" else "none")

    def _sink(self, name: str, format: FileFormat, compression: str) -> Sink:
        if name in self._written:
            raise StageError(
                f"stage {self.name!r} got documents for {name} after those of {CLOSED_AT_A_TIME} "
                "other files: a stage before it must hand batches on in the order in which it gets them",
                self.name,
            )
        if name not in self._sinks:
            if len(self._sinks) == MOST_OPEN:
                self._close(list(self._sinks)[:CLOSED_AT_A_TIME])
            attempt = self.context.new_attempt_path()
            self._sinks[name] = open_sink(attempt, format, compression), attempt
        self._sinks[name] = self._sinks.pop(name)  # the one used last is closed last
        return self._sinks[name][0]

    def _close(self, names: Sequence[str]) -> None:
        for name in names:
            sink, attempt = self._sinks[name]
            written = sink.close(self.context.sync)
            del self._sinks[name]  # not before: what could not be closed is to be abandoned
            self._written[name] = OutputFile(
                name, str(attempt), written.rows, written.bytes, written.checksum
            )

    def _write(self, sink: Sink, task: DocumentBatch, format: FileFormat) -> None:
        original: Any = task._original if self.fields is None else None
        if isinstance(original, LinesOriginal) and format == "jsonl":
            sink.write_lines(set_fields(original, _changed_columns(task)) if task._changed else original)
        elif isinstance(original, TableOriginal):
            changed = _changed_columns(task)
            refuse_reserved(name for name in changed if name in original.table.column_names)
            sink.write_table(frame.with_columns(original.table, changed))
        else:
            table = task.to_pyarrow()
            sink.write_table(table if self.fields is None else table.select(self.fields))


class JsonlWriter(DocumentWriter):
    """Documents to JSONL. Arguments as :class:`DocumentWriter`, less ``format``."""

    name = "jsonl_writer"
    default_format = "jsonl"


class ParquetWriter(DocumentWriter):
    """Documents to Parquet. Arguments as :class:`DocumentWriter`, less ``format``."""

    name = "parquet_writer"
    default_format = "parquet"


def check_output_kind(format: FileFormat | None, compression: str | None) -> None:
    """Whether files of this kind can be written.

    Raises:
        ConfigurationError: they cannot; the message lists what can.
    """
    if compression is not None and format is None:
        known = sorted({kind for layout in FORMATS for kind in compressions(layout)})
        if compression not in known:
            raise ConfigurationError(
                f"compression {compression!r} is not known: choose one of {', '.join(known)}"
            )
    elif format is not None:
        check_kind(format, compression or compressions(format)[0])


def _changed_columns(task: DocumentBatch) -> dict[str, Any]:
    return {name: frame.column_as_arrow(task.data, name) for name in sorted(task._changed)}
