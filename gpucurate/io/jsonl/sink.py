"""JSON lines written plain, as gzip or as zstd."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, ClassVar, Protocol

import orjson
import pyarrow as pa
import zstandard

from gpucurate.io.jsonl.gather import blocks_of
from gpucurate.io.piece import LinesOriginal
from gpucurate.io.sink import Sink
from gpucurate.spec.errors import ConfigurationError

_ROWS_AT_A_TIME = 4096
_GZIP_LEVEL, _ZSTD_LEVEL = 6, 3


class Encoder(Protocol):
    """A compressor that is fed blocks."""

    def compress(self, block: Any, /) -> bytes:
        """Compressed bytes that are ready."""
        ...

    def flush(self) -> bytes:
        """The rest."""
        ...


class _Plain:
    def compress(self, block: Any, /) -> Any:
        return block

    def flush(self) -> bytes:
        return b""


def _encoder(compression: str) -> Encoder:
    if compression == "gzip":
        return zlib.compressobj(_GZIP_LEVEL, wbits=31)  # no name and time 0 in the header
    if compression == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compressobj()
    return _Plain()


class JsonlSink(Sink):
    """One record a line; the same records give the same bytes."""

    COMPRESSIONS: ClassVar[tuple[str, ...]] = ("none", "gzip", "zstd")

    def __init__(self, path: Path, compression: str) -> None:
        super().__init__(path)
        self._encoder = _encoder(compression)

    def write_lines(self, lines: LinesOriginal) -> None:
        """Append lines by their bytes, in as few writes as can be."""
        for block in blocks_of(lines):
            self._write(block)
        self._rows += len(lines)

    def write_table(self, table: pa.Table) -> None:
        """Append rows as objects: nulls are written, dates are in ISO 8601, binary is refused."""
        for field in table.schema:
            _refuse_binary(field.name, field.type)
        for start in range(0, table.num_rows, _ROWS_AT_A_TIME):
            records = table.slice(start, _ROWS_AT_A_TIME).to_pylist()
            self._write(
                b"".join([orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE, default=str) for r in records])
            )
        self._rows += table.num_rows

    def _write(self, block: Any) -> None:
        encoded = self._encoder.compress(block)
        if len(encoded):
            self._file.write(encoded)

    def _finish(self) -> None:
        rest = self._encoder.flush()
        if rest:
            self._file.write(rest)


def _refuse_binary(name: str, kind: Any) -> None:
    """JSON has no bytes; guessing an encoding would change data.

    Raises:
        ConfigurationError: ``kind`` is binary or holds binary.
    """
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    if any(is_kind(kind) for is_kind in binary) or kind == pa.binary_view():
        raise ConfigurationError(
            f"column {name!r} is {kind}, which JSON cannot hold: drop it, cast it to text, or write Parquet"
        )
    if pa.types.is_nested(kind) or pa.types.is_dictionary(kind):
        inner = [kind.value_type] if hasattr(kind, "value_type") else [f.type for f in kind]
        for each in inner:
            _refuse_binary(name, each)
