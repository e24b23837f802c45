"""Opening a Parquet file by its footer, and saying why that failed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.io.parquet.chunks import Chunk, read_chunks
from gpucurate.io.source import ByteSource
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import InputError, one_line

_MAGIC_ENCRYPTED = b"PARE"
_READ_BYTES = 2 * MIB  # of a column at a time; else all of it is held while it is decoded


class BadParquetError(Exception):
    """The file is no Parquet that can be read; the message says why."""


class SourceFile:
    """A :class:`ByteSource` as the file object that pyarrow reads from."""

    def __init__(self, source: ByteSource) -> None:
        self._source, self._position = source, 0
        self.closed = False

    def read(self, count: int = -1) -> memoryview:
        """The next ``count`` bytes, or all; memory of their own, which pyarrow takes over."""
        left = self._source.file.size - self._position
        buffer = np.empty(max(0, left if count is None or count < 0 else min(count, left)), np.uint8)
        done = self._source.read_into(buffer.data, self._position)
        self._position += done
        return buffer[:done].data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; as for any file."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.file.size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def size(self) -> int:
        """Bytes of the file."""
        return self._source.file.size

    def readable(self) -> bool:
        """True."""
        return True

    def writable(self) -> bool:
        """False."""
        return False

    def seekable(self) -> bool:
        """True."""
        return True

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """Leaves the source to its owner."""
        self.closed = True


def open_parquet(source: ByteSource) -> pq.ParquetFile:
    """The file with its footer read and page checksums verified where there are any.

    pyarrow checks the declared length of the footer against the size of the file before it
    allocates.

    Raises:
        BadParquetError: truncated, garbled, encrypted, no Parquet at all, or with two columns of one name.
    """
    size = source.file.size
    if size < 12:
        raise BadParquetError(f"the file has {size} bytes, too few for Parquet")
    if source.read(size - 4, 4) == _MAGIC_ENCRYPTED:
        raise BadParquetError(
            "the file is encrypted (its footer is PARE), which is not supported: decrypt it first"
        )
    try:
        file = pq.ParquetFile(
            pa.PythonFile(SourceFile(source), mode="r"),
            page_checksum_verification=True,
            buffer_size=_READ_BYTES,
        )
        names = Counter(file.schema_arrow.names)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadParquetError(f"no Parquet footer can be read: {one_line(error)}") from error
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise BadParquetError(f"more than one column is called {twice[0]!r}: rename all but one")
    return file


def chunks_of(source: ByteSource, file: pq.ParquetFile) -> Sequence[Sequence[Chunk]]:
    """The column chunks of each row group.

    Raises:
        BadParquetError: the footer makes no sense.
    """
    try:
        groups = read_chunks(source)
    except ValueError as error:
        raise BadParquetError(f"no Parquet footer can be read: it has {error}") from error
    if len(groups) != file.metadata.num_row_groups:
        raise BadParquetError(
            f"no Parquet footer can be read: {len(groups)} row groups, or {file.metadata.num_row_groups}"
        )
    return groups
