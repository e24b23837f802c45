"""Opening a Parquet file by its footer, and saying why that failed."""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

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


def unsupported_codec(metadata: pq.FileMetaData, columns: set[str] | None) -> str | None:
    """The codec of a column to be read that pyarrow cannot decode, or None."""
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for i in range(row_group.num_columns):
            column = row_group.column(i)
            name = column.compression
            wanted = columns is None or column.path_in_schema.split(".", 1)[0] in columns
            if wanted and name not in ("UNCOMPRESSED", "LZ4") and not _is_available(name):
                return str(name)
    return None


def _is_available(codec: str) -> bool:
    try:
        return bool(pa.Codec.is_available(codec.lower()))
    except ValueError:
        return False
