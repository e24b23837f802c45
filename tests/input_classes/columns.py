"""Classes of Parquet."""

from __future__ import annotations

import io
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.input_classes.declared import BadFile, parquet, text_as

_WHOLE = parquet({"text": [f"row {i}" for i in range(5)]}, compression="snappy")


def _file(number: int, content: bytes, **expected: Any) -> BadFile:
    return BadFile(number, "late.parquet", content, **expected)


def _no_footer(number: int, content: bytes, says: str = "") -> BadFile:
    return _file(number, content, rejects={"bad_parquet": 1}, says=says)


def _no_row_groups() -> bytes:
    file = io.BytesIO()
    pq.ParquetWriter(file, pa.schema([("text", pa.string())])).close()
    return file.getvalue()


def _longer_histogram() -> bytes:
    """A histogram of levels (SizeStatistics) of one entry more than its column has levels."""
    begin = len(_WHOLE) - 8 - int.from_bytes(_WHOLE[-8:-4], "little")
    levels = b"\x26\x00\x0a"  # Thrift compact: two i64, of which none of null and five of not
    assert _WHOLE[begin:-8].count(levels) == 1
    footer = _WHOLE[begin:-8].replace(levels, b"\x36\x00\x0a\x00")
    return _WHOLE[:begin] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def _two_columns() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table([pa.array(["a"])] * 3, names=["text", "x", "x"]), file)
    return file.getvalue()


def _noisy(**options: Any) -> bytearray:
    """30 rows in groups of 10, with a column of noise."""
    made = random.Random(1)
    columns = {
        "text": [f"row {i}" for i in range(30)],
        "noise": [made.randbytes(50).hex() for _ in range(30)],
    }
    options = {"row_group_size": 10, "compression": "none", "use_dictionary": False, **options}
    return bytearray(parquet(columns, **options))


def _broken_column() -> bytes:
    content = _noisy()
    at = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(1).column(1).data_page_offset
    content[at : at + 40] = bytes(b ^ 0x55 for b in content[at : at + 40])
    return bytes(content)


def _wrong_sum() -> bytes:
    """One letter of one text is another, which only the checksum of its page tells."""
    content = _noisy(write_page_checksum=True)
    content[content.rindex(b"row 15")] ^= 1
    return bytes(content)


def _wrong_statistics() -> bytes:
    """The least and the greatest value of each column are lies."""
    content = _noisy(write_page_index=False)
    footer = int.from_bytes(content[-8:-4], "little")
    head, tail = content[:-footer], content[-footer:]
    for row in (b"row 0", b"row 9", b"row 10", b"row 19"):
        tail = tail.replace(row, b"ROW!" + row[4:])
    return bytes(head + tail)


PARQUET: dict[str, BadFile] = {
    "no row groups": _file(40, _no_row_groups()),
    "no rows": _file(40, text_as(pa.string(), [])),
    "no columns": _file(40, parquet({})),
    "another column": _file(36, parquet({"body": ["a", "b"]}), rejects={"missing_text": 2}),
    "odd column names": _file(39, parquet({"text": ["odd"], "a.b": [1], 'c "d': [2], "": [3]}), kept=1),
    "1,000 columns": _file(39, parquet({"text": ["wide"], **{f"c{i}": [i] for i in range(1000)}}), kept=1),
    "truncated Parquet": _no_footer(41, _WHOLE[:-20], says="footer"),
    "magic only": _no_footer(41, b"PAR1", says="too few"),
    "huge footer": _no_footer(41, _WHOLE[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1"),
    "garbled footer": _no_footer(41, _WHOLE[:-60] + b"\xff" * 52 + _WHOLE[-8:]),
    "empty Parquet": _no_footer(41, b"", says="0 bytes"),
    "JSON lines named .parquet": _no_footer(41, b'{"text": "a line that is no row"}\n'),
    "a broken row group of another column": _file(
        42, _broken_column(), kept=20, rejects={"bad_parquet": 10}, says="row group 1"
    ),
    "a page of another checksum": _file(
        42, _wrong_sum(), kept=20, rejects={"bad_parquet": 10}, says="row group 1"
    ),
    "wrong statistics": _file(42, _wrong_statistics(), kept=30),
    "large_string": _file(43, text_as(pa.large_string(), ["large 1", "large 2"]), kept=2),
    "dictionary": _file(43, text_as(pa.dictionary(pa.int32(), pa.string()), ["key 1", "key 2"]), kept=2),
    "string_view": _file(43, text_as(pa.string_view(), ["view 1", "view 2"]), kept=2),
    "binary": _file(
        43,
        parquet({"text": pa.array([b"bytes", b"\xff", None], pa.binary())}),
        kept=1,
        rejects={"invalid_utf8": 1, "null_text": 1},
    ),
    "list of strings": _file(43, text_as(pa.list_(pa.string()), [["a"], ["b"]]), rejects={"wrong_type": 2}),
    "integers": _file(43, text_as(pa.int64(), [1, 2]), rejects={"wrong_type": 2}),
    "encrypted": _no_footer(45, b"PARE" + _WHOLE[4:-4] + b"PARE", says="encrypted"),
    # Thrift compact: field 4 of ColumnMetaData (codec) after its path; SNAPPY is 1, LZO is 3.
    "LZO": _no_footer(45, _WHOLE.replace(b"\x18\x04text\x15\x02", b"\x18\x04text\x15\x06"), says="LZO"),
    # Both ended the process in pyarrow 26, whose objects for metadata let what C++ throws through.
    "a codec that there is not": _no_footer(
        45, _WHOLE.replace(b"\x18\x04text\x15\x02", b"\x18\x04text\x15\x32"), says="codec 25"
    ),
    "a histogram that does not fit": _file(
        41, _longer_histogram(), rejects={"bad_parquet": 5}, says="histogram size mismatch"
    ),
    "two columns of one name": _no_footer(37, _two_columns(), says="more than one column is called 'x'"),
}
