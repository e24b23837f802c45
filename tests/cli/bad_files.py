"""One file of each class of bad or strange input, and what is expected of it."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

SOME = -1


@dataclass(frozen=True)
class BadFile:
    """A file beside good ones.

    Attributes:
        name: what it is called.
        content: its bytes.
        kept: documents of it that are kept; ``SOME`` where the codec decides how many.
        rejects: documents, or the file, that are rejected, by reason.
        says: what the detail of each reject holds.
    """

    name: str
    content: bytes
    kept: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    says: str = ""


def lines(*records: Any) -> bytes:
    """JSON lines; bytes are taken as they are."""
    return b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)


def texts(prefix: str, count: int) -> bytes:
    return lines(*({"text": f"{prefix} {i}"} for i in range(count)))


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def text_as(kind: pa.DataType, values: list[Any]) -> bytes:
    return parquet({"text": pa.array(values, kind), "other": pa.array(values, kind)})


def _jsonl() -> dict[str, BadFile]:
    return {
        "non-objects": BadFile("late.jsonl", lines([1], "s", 3, None), rejects={"not_an_object": 4}),
        "cut off": BadFile("late.jsonl", b'{"text": "abc', rejects={"bad_json": 1}),
        "invalid UTF-8": BadFile("late.jsonl", lines(b'{"text": "a\xffb"}'), rejects={"invalid_utf8": 1}),
        "NUL": BadFile("late.jsonl", lines(rb'{"text": "a\u0000b"}'), kept=1),
        "no text": BadFile("late.jsonl", lines({"id": 1}), rejects={"missing_text": 1}),
        "null text": BadFile("late.jsonl", lines({"text": None}), rejects={"null_text": 1}),
        "number as text": BadFile("late.jsonl", lines({"text": 7}), rejects={"wrong_type": 1}),
        "byte order mark": BadFile("late.jsonl", b"\xef\xbb\xbf" + texts("mark", 1), kept=1),
        "CRLF, blank lines, no last newline": BadFile(
            "late.jsonl", b"\r\n" + texts("crlf", 2).replace(b"\n", b"\r\n\r\n")[:-4], kept=2
        ),
        "lone surrogate": BadFile("late.jsonl", lines(rb'{"text": "\ud83d"}'), rejects={"bad_json": 1}),
        "duplicate key": BadFile("late.jsonl", lines(b'{"text": "good 0", "text": "last"}'), kept=1),
        "NaN": BadFile("late.jsonl", lines(b'{"text": "nan", "x": NaN}'), rejects={"bad_json": 1}),
        "ids of two types": BadFile(
            "late.jsonl", lines({"id": 1, "text": "one"}, {"id": "1", "text": "two"}), kept=2
        ),
        "integer beyond 64 bits": BadFile("late.jsonl", lines({"text": "big", "x": 10**30}), kept=1),
        "empty": BadFile("late.jsonl", b""),
        "3,000 deep": BadFile(
            "late.jsonl",
            lines(b'{"text": "deep", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}"),
            rejects={"too_deep": 1},
        ),
        "UTF-16": BadFile(
            "late.jsonl", texts("wide", 3).decode().encode("utf-16"), rejects={"encoding": 1}, says="UTF-16"
        ),
        "a line of 5 MB": BadFile(
            "late.jsonl",
            lines({"text": "before"}, {"text": "x" * 5_000_000}, {"text": "after"}),
            kept=2,
            rejects={"too_large": 1},
            says="more than the 1000000 allowed",
        ),
        "equal ids": BadFile("late.jsonl", lines({"id": 1, "text": "one"}, {"id": 1, "text": "two"}), kept=2),
        "white space, zero width, control characters": BadFile(
            "late.jsonl", lines({"text": " \t"}, {"text": "\u200b"}, {"text": "\x01"}, {"text": ""}), kept=4
        ),
        "a word of 900 kB and 400,000 of one letter": BadFile(
            "late.jsonl", lines({"text": "w" * 900_000}, {"text": "a " * 400_000}), kept=2
        ),
        "overrides, joiners, NFD, non-characters": BadFile(
            "late.jsonl", lines('{"text": "\u202ea👩\u200d👧 e\u0301 \ufffe\ue000"}'.encode()), kept=1
        ),
        "line separators within": BadFile(
            "late.jsonl", lines('{"text": "a\u2028b\u2029c\u0085d"}'.encode()), kept=1
        ),
        "CR alone": BadFile(
            "late.jsonl", texts("mac", 2).replace(b"\n", b"\r"), rejects={"bad_json": 1}, says="CR alone"
        ),
        "JSON array": BadFile(
            "late.jsonl", lines([{"text": "a"}]), rejects={"not_an_object": 1}, says="JSON array"
        ),
        "pretty-printed": BadFile(
            "late.jsonl",
            json.dumps({"text": "a"}, indent=2).encode(),
            rejects={"bad_json": 3},
            says="pretty-printed",
        ),
        "concatenated": BadFile(
            "late.jsonl",
            texts("joined", 2).replace(b"\n", b""),
            rejects={"bad_json": 1},
            says="without a newline",
        ),
        "other columns": BadFile(
            "late.jsonl", lines({"x": {"a": {}}, "text": "nested"}, {"text": "string", "x": "s"}), kept=2
        ),
        "odd field names": BadFile(
            "late.jsonl", lines({"text": "odd", "a.b": 1, "c d": 2, 'e"': 3, "": 4}), kept=1
        ),
        "10,000 columns": BadFile(
            "late.jsonl", lines({"text": "wide", **{f"c{i}": i for i in range(10_000)}}), kept=1
        ),
        "CSV": BadFile("late.jsonl", b"id,text\n1,a\n", rejects={"bad_json": 2}, says="CSV"),
        "HTML": BadFile("late.jsonl", b"<!DOCTYPE html>\n<p>502\n", rejects={"bad_json": 2}, says="HTML"),
        "gzip named .jsonl": BadFile(
            "late.jsonl", gzip.compress(texts("packed", 3)), rejects={"corrupt_file": 1}, says="gzip"
        ),
    }


def _compressed() -> dict[str, BadFile]:
    # Random text, so that a block holds few lines and most of the file is intact.
    made = random.Random(1)
    content = lines(*({"text": made.randbytes(40).hex()} for _ in range(2000)))
    garbled = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(texts("sum", 50)))
    garbled[-1] ^= 0xFF
    packed = gzip.compress(content, mtime=0)
    return {
        "truncated gzip": BadFile(
            "late.jsonl.gz",
            packed[: len(packed) // 2],
            rejects={"corrupt_file": 1},
            says="ends within",
            kept=SOME,
        ),
        "gzip and garbage": BadFile("late.jsonl.gz", gzip.compress(texts("tail", 2)) + b"garbage", kept=2),
        "text named .gz": BadFile("late.jsonl.gz", texts("plain", 2), kept=2),
        "zstd with a wrong checksum": BadFile(
            "late.jsonl.zst", bytes(garbled), rejects={"corrupt_file": 1}, says="checksum", kept=SOME
        ),
        "two gzip members": BadFile(
            "late.jsonl.gz", gzip.compress(texts("m", 1)) + gzip.compress(texts("n", 1)), kept=2
        ),
        "two zstd frames": BadFile(
            "late.jsonl.zst", zstandard.compress(texts("m", 1)) + zstandard.compress(texts("n", 1)), kept=2
        ),
        "empty gzip": BadFile("late.jsonl.gz", b""),
        "40 MB of zeros": BadFile(
            "late.jsonl.zst", zstandard.compress(bytes(40_000_000)), rejects={"too_large": 1}
        ),
        "zstd with a window of 1 GiB": BadFile(
            "late.jsonl.zst", _wide_window(), rejects={"corrupt_file": 1}, says="--long"
        ),
    }


def _wide_window() -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=30)
    encoder = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return encoder.compress(texts("window", 1)) + encoder.flush()


def _parquet() -> dict[str, BadFile]:
    whole = parquet({"text": [f"row {i}" for i in range(5)]}, compression="snappy")
    no_footer: dict[str, int] = {"bad_parquet": 1}
    return {
        "no rows": BadFile("late.parquet", text_as(pa.string(), [])),
        "no columns": BadFile("late.parquet", parquet({})),
        "another column": BadFile("late.parquet", parquet({"body": ["a", "b"]}), rejects={"missing_text": 2}),
        "truncated Parquet": BadFile("late.parquet", whole[:-20], rejects=no_footer, says="footer"),
        "magic only": BadFile("late.parquet", b"PAR1", rejects=no_footer, says="too few"),
        "huge footer": BadFile(
            "late.parquet", whole[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1", rejects=no_footer
        ),
        "empty Parquet": BadFile("late.parquet", b"", rejects=no_footer, says="0 bytes"),
        "encrypted": BadFile(
            "late.parquet", b"PARE" + whole[4:-4] + b"PARE", rejects=no_footer, says="encrypted"
        ),
        # Thrift compact: field 4 of ColumnMetaData (codec) after its path; SNAPPY is 1, LZO is 3.
        "LZO": BadFile(
            "late.parquet",
            whole.replace(b"\x18\x04text\x15\x02", b"\x18\x04text\x15\x06"),
            rejects=no_footer,
            says="LZO",
        ),
        "large_string": BadFile("late.parquet", text_as(pa.large_string(), ["large 1", "large 2"]), kept=2),
        "dictionary": BadFile(
            "late.parquet", text_as(pa.dictionary(pa.int32(), pa.string()), ["key 1", "key 2"]), kept=2
        ),
        "string_view": BadFile("late.parquet", text_as(pa.string_view(), ["view 1", "view 2"]), kept=2),
        "binary": BadFile(
            "late.parquet",
            parquet({"text": pa.array([b"bytes", b"\xff", None], pa.binary())}),
            kept=1,
            rejects={"invalid_utf8": 1, "null_text": 1},
        ),
        "list of strings": BadFile(
            "late.parquet", text_as(pa.list_(pa.string()), [["a"], ["b"]]), rejects={"wrong_type": 2}
        ),
        "integers": BadFile("late.parquet", text_as(pa.int64(), [1, 2]), rejects={"wrong_type": 2}),
        "two columns of one name": BadFile(
            "late.parquet", _two_columns(), rejects=no_footer, says="more than one column is called 'x'"
        ),
        "a broken row group of another column": BadFile(
            "late.parquet", _broken_column(), kept=20, rejects={"bad_parquet": 10}, says="row group 1"
        ),
    }


def _two_columns() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table([pa.array(["a"])] * 3, names=["text", "x", "x"]), file)
    return file.getvalue()


def _broken_column() -> bytes:
    made = random.Random(1)
    columns = {
        "text": [f"row {i}" for i in range(30)],
        "noise": [made.randbytes(50).hex() for _ in range(30)],
    }
    content = bytearray(parquet(columns, row_group_size=10, compression="none", use_dictionary=False))
    at = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(1).column(1).data_page_offset
    content[at : at + 40] = bytes(b ^ 0x55 for b in content[at : at + 40])
    return bytes(content)


BAD_FILES = _jsonl() | _compressed() | _parquet()
