"""What a footer says of the chunks of columns, read without pyarrow's objects for them.

pyarrow 26 makes the metadata of a column chunk in C++ without catching what that throws: a codec that
there is not, or a histogram of sizes that does not fit the column, ends the process (``std::terminate``).
Its readers do catch it. So of the footer only what needs no such object is asked of pyarrow, and the rest is
read here (parquet.thrift: ``FileMetaData``, ``RowGroup``, ``ColumnChunk``, ``ColumnMetaData``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

from gpucurate.io.parquet.thrift import Shape, read_struct
from gpucurate.io.source import ByteSource

_TAIL = 1 << 16
_END = 8  # length of the footer, magic

_COLUMN: Shape = {3: [None], 4: None, 6: None, 7: None, 9: None, 11: None}
_FILE: Shape = {4: [{1: [{3: _COLUMN}]}]}
CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4")
"""By their number; both kinds of LZ4 are read."""


class Chunk(NamedTuple):
    """A column's part of a row group.

    Attributes:
        column: name of the column of the table, not of what lies in it.
        path: of the leaf, with dots.
        codec: one of :data:`CODECS`, or ``codec N`` of a number that is none.
        nbytes: of its pages, as they lie in the file.
        decoded: bytes of its pages when they are decompressed.
        data: where its first page of values begins.
        dictionary: where its dictionary begins; 0 where it has none.
    """

    column: str
    path: str
    codec: str
    nbytes: int
    decoded: int
    data: int
    dictionary: int


def read_chunks(source: ByteSource) -> tuple[tuple[Chunk, ...], ...]:
    """The chunks of each row group of a file whose footer pyarrow could read.

    Raises:
        ValueError: a footer that makes no sense, or a column without metadata, as of encrypted columns.
    """
    size = source.file.size
    tail = source.read(size - min(size, _TAIL), min(size, _TAIL))
    length = int.from_bytes(tail[-_END : -_END // 2], "little")
    if length > size - _END:
        raise ValueError(f"a footer of {length:,} bytes in a file of {size:,}")
    begin = len(tail) - _END - length
    footer = tail[begin:-_END] if begin >= 0 else source.read(size - _END - length, length)
    return _chunks(bytes(footer))


@lru_cache(maxsize=2)  # each range of a file asks again
def _chunks(footer: bytes) -> tuple[tuple[Chunk, ...], ...]:
    try:
        found, _ = read_struct(footer, 0, _FILE)
    except (IndexError, RecursionError) as error:
        raise ValueError("a footer that ends amid a field, or is nested too deep") from error
    return tuple(tuple(map(_chunk, (group or {}).get(1, ()))) for group in found.get(4, ()))


def _chunk(fields: dict[int, dict[int, object]] | None) -> Chunk:
    column = (fields or {}).get(3)
    if column is None:
        raise ValueError("a column without metadata, which may be encrypted")
    path = column.get(3)
    if not isinstance(path, list) or not path or not all(isinstance(name, bytes) for name in path):
        raise ValueError("a column without a name")
    names = [name.decode("utf-8", "replace") for name in path]
    codec, nbytes, decoded, data, dictionary = (_number(column.get(n, 0)) for n in (4, 7, 6, 9, 11))
    known = CODECS[codec] if 0 <= codec < len(CODECS) else f"codec {codec}"
    return Chunk(names[0], ".".join(names), known, nbytes, decoded, data, dictionary)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("a number of a column that is none")
    return value


def unsupported_codec(groups: Sequence[Sequence[Chunk]], columns: set[str] | None) -> str | None:
    """The codec of a column to be read that pyarrow cannot decode, or None."""
    for codec in dict.fromkeys(
        chunk.codec for group in groups for chunk in group if columns is None or chunk.column in columns
    ):
        if codec not in ("UNCOMPRESSED", "LZ4") and not _is_available(codec):
            return codec
    return None


def _is_available(codec: str) -> bool:
    try:
        return bool(pa.Codec.is_available(codec.lower()))
    except ValueError:
        return False
