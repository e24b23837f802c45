"""Last stages: documents to files, named after the files they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from gpucurate.frame import table as frame
from gpucurate.io.jsonl.splice import set_fields
from gpucurate.io.output_name import output_name
from gpucurate.io.piece import LinesOriginal, TableOriginal
from gpucurate.io.sink import Sink, open_sink
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import FileFormat
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.file_group import FileGroupTask
from gpucurate.tasks.origin import Origin

COMPRESSIONS: dict[FileFormat, tuple[str, ...]] = {
    "jsonl": ("none", "gzip", "zstd"),
    "parquet": ("none", "snappy", "zstd"),
}


class DocumentWriter(ProcessingStage[DocumentBatch, FileGroupTask]):
    """Documents to files under ``path``, one for each range that was read.

    As long as stages before it only dropped rows or set columns, the records are copied
    as they stood in the input, fields that were never read included.

    Args:
        path: folder of the output.
        fields: only these columns, of the batch as it arrives; None for whole records.
        format: of the output; the input's if None.
        compression: ``none``, ``gzip``, ``zstd`` (JSONL) or ``none``, ``snappy``, ``zstd``
            (Parquet); None keeps the input's (JSONL) or takes zstd (Parquet).

    Raises:
        ConfigurationError: a format or compression that is not known.
    """

    name = "writer"
    default_format: ClassVar[FileFormat | None] = None
    not_in_plan: ClassVar[tuple[str, ...]] = ("path",)

    def __init__(
        self,
        path: str | PathLike[str],
        fields: Sequence[str] | None = None,
        *,
        format: FileFormat | None = None,
        compression: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.fields = None if fields is None else list(fields)
        self.format = format or self.default_format
        self.compression = compression
        self._sinks: dict[str, tuple[Sink, Path]] = {}
        check_output_kind(self.format, compression)

    def inputs(self) -> tuple[list[str], list[str]]:
        """The fields to be written, if they were named."""
        return ["data"], list(self.fields or [])

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; sinks that a failed unit left open are given up."""
        for sink, _ in self._sinks.values():
            sink.abandon()
        self._sinks = {}
        super().bind(context)

    def process(self, task: DocumentBatch) -> None:
        """Append the batch to the file of its range."""
        format, compression = self._kind(task)
        origin = task._origin or Origin(None, f"batch-{self.context.unit_index:05d}.{format}")
        name = output_name(origin.name, origin.ordinal, origin.count, format, compression)
        self._write(self._sink(name, format, compression), task, format)

    def flush(self) -> Iterator[FileGroupTask]:
        """Close the unit's files and hand on their names."""
        for name, (sink, attempt) in self._sinks.items():
            written = sink.close()
            self.context.outputs.append(
                OutputFile(name, str(attempt), written.rows, written.bytes, written.checksum)
            )
            yield FileGroupTask("output", [str(self.path / name)], name)
        self._sinks = {}

    def _kind(self, task: DocumentBatch) -> tuple[FileFormat, str]:
        source = task._origin.source.file if task._origin and task._origin.source else None
        format = self.format or (source.format if source else "jsonl")
        if self.compression is not None:
            return format, self.compression
        if format == "parquet":
            return format, "zstd"
        return format, source.compression if source and source.format == "jsonl" else "none"

    def _sink(self, name: str, format: FileFormat, compression: str) -> Sink:
        if name not in self._sinks:
            attempt = self.context.attempt_path(len(self._sinks))
            self._sinks[name] = open_sink(attempt, format, compression), attempt
        return self._sinks[name][0]

    def _write(self, sink: Sink, task: DocumentBatch, format: FileFormat) -> None:
        original: Any = task._original if self.fields is None else None
        if isinstance(original, LinesOriginal) and format == "jsonl":
            sink.write_lines(set_fields(original, _changed(task)) if task._changed else original)
        elif isinstance(original, TableOriginal):
            sink.write_table(frame.with_columns(original.table, _changed_columns(task)))
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
    if format is not None and format not in COMPRESSIONS:
        raise ConfigurationError(f"cannot write {format!r}: there are {', '.join(COMPRESSIONS)}")
    if compression is None:
        return
    possible = COMPRESSIONS[format] if format else sorted({c for all_ in COMPRESSIONS.values() for c in all_})
    if compression not in possible:
        raise ConfigurationError(f"compression {compression!r} is not among {', '.join(possible)}")


def _changed_columns(task: DocumentBatch) -> dict[str, Any]:
    return {name: frame.column_as_arrow(task.data, name) for name in sorted(task._changed)}


def _changed(task: DocumentBatch) -> dict[str, list[Any]]:
    return {name: column.to_pylist() for name, column in _changed_columns(task).items()}
