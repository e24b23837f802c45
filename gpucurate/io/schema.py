"""Names of the columns of a file, before it is read."""

from __future__ import annotations

import numpy as np

from gpucurate.io.source import ByteSource, open_source
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.source import InputFile

_HEAD = 4 * MIB
_RECORDS = 1000


def schema_names(file: InputFile) -> list[str] | None:
    """The columns of Parquet, or the keys of the first records of JSON lines.

    Of JSON lines, the keys of up to 1000 well-formed records in the first 4 MiB are taken, in
    the order in which they appear. None says that nothing can be told: no record there is
    well-formed, or the file cannot be decoded.

    Raises:
        InputError: the file cannot be opened, or changed since it was listed.
    """
    with open_source(file) as source:
        return _parquet_names(source) if file.format == "parquet" else _json_names(source)


def _parquet_names(source: ByteSource) -> list[str] | None:
    from gpucurate.io.parquet.footer import BadParquetError, open_parquet

    try:
        return list(open_parquet(source).schema_arrow.names)
    except BadParquetError:
        return None  # told by the reader, as a reject


def _json_names(source: ByteSource) -> list[str] | None:
    from gpucurate.io.jsonl.record import RecordError, parse_record
    from gpucurate.io.limits import DEEPEST

    names: dict[str, None] = {}
    records = 0
    for line in _head(source).removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        try:
            record = parse_record(line, DEEPEST)
        except RecordError:
            continue  # told by the reader, as a reject
        names.update(dict.fromkeys(record))
        records += 1
        if records == _RECORDS:
            break
    return list(names) if records else None


def _head(source: ByteSource) -> bytes:
    """The first bytes of the (decompressed) file; a record that is cut is none."""
    from gpucurate.io.jsonl.codecs import DecodedStream

    if source.file.compression == "none":
        return source.read(0, _HEAD)
    buffer = np.empty(_HEAD, np.uint8)
    count = DecodedStream(source, source.file.compression).readinto(buffer.data)
    return buffer[:count].tobytes()
