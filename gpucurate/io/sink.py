"""Writing kept records: one file, its size and its checksum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from gpucurate.io.block_file import BlockFile
from gpucurate.io.piece import LinesOriginal
from gpucurate.ops.document_hash import DocumentHasher
from gpucurate.spec.errors import ConfigurationError, StorageError
from gpucurate.spec.source import FileFormat
from gpucurate.spec.storage import storage_errors
from gpucurate.tasks.finished import Sync, sync_now

if TYPE_CHECKING:
    from gpucurate.io.jsonl.sink import JsonlSink
    from gpucurate.io.parquet.sink import ParquetSink


@dataclass(frozen=True, slots=True)
class Written:
    """What a sink wrote.

    Attributes:
        rows: records.
        bytes: size of the file.
        checksum: document hash of the file's bytes, as 32 hexadecimal digits.
    """

    rows: int
    bytes: int
    checksum: str


class HashedFile:
    """A file that is written once from start to end, and hashed on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.closed = False
        self._hash = DocumentHasher()
        with storage_errors(path):
            self._file = BlockFile(path)

    def write(self, block: Any) -> int:
        """Append bytes."""
        view = memoryview(block).cast("B")
        if self.closed:
            return len(view)  # given up: a writer above may still want to end its file
        with storage_errors(self.path):
            self._file.write(view)
        self._hash.update(view)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        """Bytes so far."""
        return self.size

    def flush(self) -> None:
        """Nothing: what is written counts once it is synced."""

    def writable(self) -> bool:
        """True."""
        return True

    def readable(self) -> bool:
        """False."""
        return False

    def seekable(self) -> bool:
        """False."""
        return False

    def sync(self, sync: Sync) -> str:
        """Write all, have it synced and closed; the checksum."""
        with storage_errors(self.path):
            self._file.finish()
        self.closed = True
        sync(self._file, self.path)
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close without a promise that anything is on disk."""
        if not self.closed:
            self.closed = True
            with storage_errors(self.path):
                self._file.close()


class Sink(ABC):
    """One output file. Write in order, then :meth:`close`; :meth:`abandon` after an error.

    As a context manager it is abandoned, if not closed, when the block ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = 0
        self._file = HashedFile(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    @abstractmethod
    def write_lines(self, lines: LinesOriginal) -> None:
        """Append records by their original bytes.

        Raises:
            StorageError: the disk is full, the file cannot be written.
        """

    @abstractmethod
    def write_table(self, table: pa.Table) -> None:
        """Append one record per row.

        Raises:
            StorageError: the disk is full, the file cannot be written.
            ConfigurationError: a column that the format cannot hold.
        """

    @abstractmethod
    def _finish(self) -> None:
        """Write what is held back."""

    def close(self, sync: Sync = sync_now) -> Written:
        """Finish, flush and fsync the file.

        Args:
            sync: takes the file over when it is finished.

        Raises:
            StorageError: as for writing.
        """
        self._finish()
        checksum = self._file.sync(sync)
        return Written(self._rows, self._file.size, checksum)

    def abandon(self) -> None:
        """Let go of the file, whole or not; whoever named it removes it."""
        try:
            self._file.close()
        except StorageError:
            # The file is given up anyway, and the error that led here is the one to see.
            return


def open_sink(path: Path, format: FileFormat, compression: str | None = None) -> Sink:
    """Open a file for writing; one that is there is replaced.

    Args:
        path: the file; its folder must be there.
        format: ``jsonl`` or ``parquet``.
        compression: ``none``, ``gzip`` or ``zstd`` of JSON lines (default ``none``); ``zstd``,
            ``snappy`` or ``none`` of Parquet (default ``zstd``).

    Raises:
        ConfigurationError: a combination that there is not.
        StorageError: the file cannot be opened.
    """
    kind = _kind(format)
    chosen = kind.COMPRESSIONS[0] if compression is None else compression
    check_kind(format, chosen)
    return kind(path, chosen)


FORMATS: tuple[FileFormat, ...] = ("jsonl", "parquet")


def compressions(format: str) -> tuple[str, ...]:
    """Compressions of a format, its default first.

    Raises:
        ConfigurationError: the format is not written.
    """
    return _kind(format).COMPRESSIONS


def check_kind(format: str, compression: str) -> None:
    """Whether there are files of this kind.

    Raises:
        ConfigurationError: there are not; the message lists what there is.
    """
    allowed = compressions(format)
    if compression not in allowed:
        raise ConfigurationError(
            f"{format} is not written with compression {compression!r}: choose one of {', '.join(allowed)}"
        )


def _kind(format: str) -> type[JsonlSink] | type[ParquetSink]:
    from gpucurate.io.jsonl.sink import JsonlSink
    from gpucurate.io.parquet.sink import ParquetSink

    kinds: dict[str, type[JsonlSink] | type[ParquetSink]] = {"jsonl": JsonlSink, "parquet": ParquetSink}
    if format not in kinds:
        raise ConfigurationError(f"format {format!r} is not written: choose jsonl or parquet")
    return kinds[format]
