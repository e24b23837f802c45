"""First stages: documents from JSONL and Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from typing import Any, ClassVar

import pyarrow as pa

from gpucurate.frame import table as frame
from gpucurate.frame.transfers import depart
from gpucurate.io.fingerprint import Fingerprint
from gpucurate.io.limits import ReadLimits
from gpucurate.io.listing import Listing, list_input
from gpucurate.io.piece import Piece
from gpucurate.io.ranges import group_ranges
from gpucurate.io.reader import read_range
from gpucurate.io.schema import schema_names
from gpucurate.ops.json_lines import MOST_FIELDS
from gpucurate.spec.bytesize import MIB, parse_bytes
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import FileFormat, FileRange
from gpucurate.stages.base import SourceStage, StageIO
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.file_group import FileGroupTask
from gpucurate.tasks.origin import Origin

DEFAULT_UNIT_BYTES = 64 * MIB
_READ_OPTIONS = frozenset({*ReadLimits.__dataclass_fields__, "follow_external"})


class DocumentReader(SourceStage[FileGroupTask, DocumentBatch]):
    """Documents from files of either format, told by their names.

    Args:
        file_paths: a file, folder, glob or URL, or several.
        files_per_partition: whole files a task; excludes ``blocksize``.
        blocksize: bytes a task, 64 MiB by default: small files go together, large ones
            are split by byte range or row group. It decides boundaries of batches and
            names of outputs, and does not depend on the machine.
        fields: columns of the batches; None for all.
        text_fields: those that must hold text; a document without is rejected.
        read_kwargs: limits of the reader by name: ``max_record_bytes``, ``max_depth``,
            ``on_corrupt``, ``encoding_errors`` (``reject`` or ``replace``); and ``follow_external``, whether
            links are followed that lead out of a folder that is given.
        keep_original: whether batches carry the untouched records, so that a writer can
            copy them.
        piece_bytes: a task is read in pieces of so many bytes, each a batch; the block
            size by default.
        with_fingerprint: note a fingerprint of the bytes that are read, which ``gpucurate verify``
            compares; a second pass over the same files needs none.

    Raises:
        ConfigurationError: options that contradict each other or are not known.
    """

    name = "reader"
    follows_device = True  # of the stage after it: a GPU segment reads its own ranges
    format: ClassVar[FileFormat | None] = None
    # The listing has a record of its own.
    not_in_plan: ClassVar[tuple[str, ...]] = (
        "file_paths", "follow_external", "_listing", "_columns", "_with_fingerprint"
    )  # fmt: skip

    def __init__(
        self,
        file_paths: str | PathLike[str] | Sequence[str | PathLike[str]],
        files_per_partition: int | None = None,
        blocksize: int | str | None = None,
        fields: Sequence[str] | None = None,
        *,
        text_fields: Sequence[str] = (),
        read_kwargs: Mapping[str, Any] | None = None,
        keep_original: bool = True,
        piece_bytes: int | None = None,
        with_fingerprint: bool = True,
    ) -> None:
        if files_per_partition is not None and blocksize is not None:
            raise ConfigurationError("give files_per_partition or blocksize, not both")
        unknown = set(read_kwargs or {}) - _READ_OPTIONS
        if unknown:
            raise ConfigurationError(
                f"read_kwargs {', '.join(sorted(unknown))} are not known: "
                f"there are {', '.join(sorted(_READ_OPTIONS))}"
            )
        self.file_paths = [file_paths] if isinstance(file_paths, str | PathLike) else list(file_paths)
        self.files_per_partition = files_per_partition
        self.unit_bytes = DEFAULT_UNIT_BYTES if blocksize is None else parse_bytes(blocksize)
        self.fields = None if fields is None else list(dict.fromkeys([*fields, *text_fields]))
        self.text_fields = tuple(text_fields)
        limits = dict(read_kwargs or {})
        self.follow_external = bool(limits.pop("follow_external", False))
        self.limits = ReadLimits(**limits)
        self.keep_original = keep_original
        self.piece_bytes = piece_bytes or self.unit_bytes
        self._with_fingerprint = with_fingerprint
        self._listing: Listing | None = None
        self._columns: tuple[str, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """A worker is sent ranges: it needs no listing, which may be long."""
        return {**self.__dict__, "_listing": None}

    def outputs(self) -> StageIO:
        """The fields that were asked for."""
        return ["data"], list(self.fields or [])

    @property
    def listing(self) -> Listing:
        """The files to read; listed when first asked for.

        Raises:
            InputError: nothing there, or nothing of a known format.
        """
        if self._listing is None:
            self._listing = list_input(
                self.file_paths, format=self.format, follow_external=self.follow_external
            )
        return self._listing

    def use_listing(self, listing: Listing) -> None:
        """Read these files rather than list the input again."""
        self._listing = listing

    def schema(self) -> list[str] | None:
        """Fields asked for, checked against the first file that has any.

        Raises:
            ConfigurationError: a field that the file does not have.
        """
        for file in self.listing.files:
            names = schema_names(file)
            if names:
                self._check_fields(names, file.name)
                self._columns = tuple(names)
                return names if self.fields is None else list(self.fields)
        return None if self.fields is None else list(self.fields)

    def _check_fields(self, names: list[str], file: str) -> None:
        missing = [name for name in self.fields or () if name not in names]
        if missing:
            raise ConfigurationError(
                f"no column {', '.join(map(repr, missing))} in {file}: it has {', '.join(map(repr, names))}"
            )

    def partition(self) -> Sequence[tuple[FileRange, ...]]:
        """Ranges of the listed files, grouped into tasks."""
        return group_ranges(self.listing, self.unit_bytes, self.files_per_partition)

    def process(self, task: FileGroupTask) -> Iterator[DocumentBatch]:
        """Batches of the task's ranges, in order; of a task without ranges, its files."""
        for source in task.ranges or self._whole(task.data):
            self.context.input_bytes += source.est_bytes
            self.context.open_range(source)
            # Not a loop: its variable would hold a piece while the next one is read.
            fingerprint = Fingerprint(source) if self._with_fingerprint else None
            yield from map(partial(self._take, task, source), self._read(source, fingerprint))
            if fingerprint is not None:
                self.context.note_bytes(source, fingerprint.taken())

    def _whole(self, paths: Sequence[str]) -> tuple[FileRange, ...]:
        listing = list_input(paths, format=self.format)
        (group,) = group_ranges(listing, self.unit_bytes, files_per_partition=len(listing.files))
        return group

    def _take(self, task: FileGroupTask, source: FileRange, piece: Piece) -> DocumentBatch:
        self.context.tally(source, records=piece.num_records, blank=piece.num_blank, rejects=piece.rejects)
        for note in piece.notes:
            self.count(f"note: {note}")
        return self._batch(task, source, piece)

    def _read(self, source: FileRange, fingerprint: Fingerprint | None) -> Iterator[Piece]:
        return read_range(
            source,
            fields=self.fields,
            text_fields=self.text_fields,
            piece_bytes=self.piece_bytes,
            keep_original=self.keep_original,
            limits=self.limits,
            gpu=self.gpu_memory if self.device == "cuda" else None,
            fingerprint=fingerprint,
        )

    def _table(self, piece: Piece) -> pa.Table:
        """The piece's table; of all fields, also those of the first file that no record here has."""
        if self.fields is not None:
            return piece.table if self.fields else frame.empty_columns(piece.num_rows)
        rows: pa.Table = piece.table if piece.table.num_columns else frame.empty_columns(piece.num_rows)
        absent = [name for name in self._columns if name not in rows.column_names]
        return frame.with_columns(rows, {name: pa.nulls(piece.num_rows) for name in absent})

    def _batch(self, task: FileGroupTask, source: FileRange, piece: Piece) -> DocumentBatch:
        """The piece as a batch on the device of the stage."""
        batch = DocumentBatch(
            task.dataset_name,
            self._table(piece),
            f"{source.file.name}:{source.start}+{piece.first_record}",
            [*task._stage_perf],
            dict(task._metadata),
            Origin.of_range(source, piece.first_record),
            records=piece.records,
        ).with_original(piece.original)
        if self.device == "cuda" and batch.device == "cpu":
            self._tell_why_on_host(source, batch.num_items)
        return batch.moved_to(self.device)

    def _tell_why_on_host(self, source: FileRange, rows: int) -> None:
        """Why documents come from the host's reader on a GPU, unless that has told by itself."""
        if source.file.format == "parquet":
            kept = ", for whole rows are kept" if self.keep_original else ""
            depart(f"Parquet that is decoded on the CPU{kept}", rows)
        elif not self.fields:
            depart("lines of which all fields are read", rows)
        elif len(self.fields) > MOST_FIELDS:
            depart(f"lines of which more than {MOST_FIELDS} fields are read", rows)


class JsonlReader(DocumentReader):
    """Documents from JSONL files: plain, gzip or zstd. Arguments as :class:`DocumentReader`.

    >>> JsonlReader("data/", fields=["id", "text"], blocksize="256MiB")
    """

    name = "jsonl_reader"
    format = "jsonl"


class ParquetReader(DocumentReader):
    """Documents from Parquet files. Arguments as :class:`DocumentReader`."""

    name = "parquet_reader"
    format = "parquet"
