"""Fingerprints of the bytes that ranges were read of."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from gpucurate.io.fingerprint import STEP, Fingerprint, hash_bytes
from gpucurate.io.listing import list_input
from gpucurate.io.ranges import split_file
from gpucurate.io.reader import read_range
from gpucurate.io.source import open_source
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import BytesTaken


def read(source: FileRange, piece_bytes: int = 1000, **how: Any) -> BytesTaken:
    fingerprint = Fingerprint(source)
    wanted: dict[str, Any] = {"fields": ["text"], "text_fields": ["text"], "keep_original": False, **how}
    for _ in read_range(source, piece_bytes=piece_bytes, fingerprint=fingerprint, **wanted):
        pass
    return fingerprint.taken()


def lines(count: int) -> bytes:
    return b"".join(b'{"text": "page %d ' % at + b"x" * (at % 97) + b'"}\n' for at in range(count))


@pytest.mark.parametrize("unit_bytes", [500, 4096, 10**9])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_of_lines_it_covers_each_range_to_the_byte(tmp_path: Path, unit_bytes: int, start: bytes) -> None:
    path, content = tmp_path / "a.jsonl", start + lines(300)
    path.write_bytes(content)
    (file,) = list_input([path]).files
    for source in split_file(file, unit_bytes):
        wanted = xxhash.xxh3_128(content[source.start : source.stop]).hexdigest()
        assert read(source) == BytesTaken(source.start, source.stop - source.start, wanted)
        assert read(source, fields=(), text_fields=(), keep_original=True).digest == wanted


def test_steps_larger_than_the_cache_change_nothing(tmp_path: Path) -> None:
    path, content = tmp_path / "a.jsonl", lines(20_000)
    path.write_bytes(content)
    assert len(content) > 3 * STEP
    (source,) = split_file(list_input([path]).files[0], 10**9)
    assert read(source, piece_bytes=10**7).digest == xxhash.xxh3_128(content).hexdigest()


def test_of_a_compressed_file_it_covers_what_lies_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines(3000)))
    (source,) = split_file(list_input([path]).files[0], 100)
    assert read(source).digest == xxhash.xxh3_128(path.read_bytes()).hexdigest()


def test_of_a_file_that_is_no_text_it_covers_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes("\ufeff".encode("utf-16") + lines(3000).decode().encode("utf-16-le"))
    (source,) = split_file(list_input([path]).files[0], 10**9)
    taken = read(source)
    assert 0 < taken.count < source.stop
    assert taken.digest == xxhash.xxh3_128(path.read_bytes()[: taken.count]).hexdigest()


def test_of_parquet_it_covers_the_footer(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", "b"] * 500}), path)
    (source,) = split_file(list_input([path]).files[0], 10**9)
    taken = read(source)
    content = path.read_bytes()
    assert taken.start + taken.count == len(content)
    assert taken.count == int.from_bytes(content[-8:-4], "little") + 8
    assert taken.digest == xxhash.xxh3_128(content[taken.start :]).hexdigest()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\xff" * 20 + b"PAR1"])
def test_of_what_only_is_called_parquet_it_covers_what_there_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    (source,) = split_file(list_input([path]).files[0], 10**9)
    assert read(source).digest == xxhash.xxh3_128(content).hexdigest()


def test_the_same_bytes_are_hashed_again_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(2000))
    (file,) = list_input([path]).files
    for source in split_file(file, 30_000):
        taken = read(source)
        with open_source(file) as opened:
            assert hash_bytes(opened, taken) == taken.digest
