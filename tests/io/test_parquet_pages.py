"""Headers and checksums of the pages of Parquet, as pyarrow writes them."""

import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.io.parquet.chunks import read_chunks
from gpucurate.io.parquet.device_reader import _pages_of
from gpucurate.io.parquet.pages import checksums_hold, read_page_header
from gpucurate.io.source import open_source
from tests.io.reading import the_file

TABLE = pa.table(
    {
        "text": [None if i % 7 == 0 else f"text é {i}" * (i % 30) for i in range(5000)],
        "flag": [i % 3 == 0 for i in range(5000)],
        "list": [[i] * (i % 4) for i in range(5000)],
    }
)


def written(path, **options):
    pq.write_table(TABLE, path, data_page_size=2000, row_group_size=2000, **options)
    with open_source(the_file(path)) as source:
        return [_pages_of(chunk) for group in read_chunks(source) for chunk in group]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("use_dictionary", [False, True])
def test_pages_follow_each_other_through_the_chunk(tmp_path, version, compression, checksum, use_dictionary):
    path = tmp_path / "a.parquet"
    options = {"data_page_version": version, "compression": compression, "use_dictionary": use_dictionary}
    chunks = written(path, write_page_checksum=checksum, **options)
    content, pages = path.read_bytes(), 0
    for begin, nbytes in chunks:
        at = begin
        while at < begin + nbytes:
            page = read_page_header(content, at)
            at, pages = page.end + page.nbytes, pages + 1
            assert page.crc == (zlib.crc32(content[page.end : at]) if checksum else None)
        assert at == begin + nbytes
    assert pages > 2 * len(chunks)
    with open_source(the_file(path)) as source:
        assert all(checksums_hold(source, *chunk) for chunk in chunks)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.999])
def test_one_wrong_byte_is_found_where_there_are_checksums(tmp_path, place):
    path = tmp_path / "a.parquet"
    begin, nbytes = written(path, write_page_checksum=True)[0]
    content = bytearray(path.read_bytes())
    content[begin + 60 + int(place * (nbytes - 61))] ^= 1
    path.write_bytes(content)
    with open_source(the_file(path)) as source:
        assert not checksums_hold(source, begin, nbytes)


def test_without_checksums_hardly_a_byte_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    chunks = written(path, use_dictionary=False, compression="none")
    begin, nbytes = max(chunks, key=lambda chunk: chunk[1])
    assert nbytes > 1 << 17
    with open_source(the_file(path)) as source:
        honest, asked = source.read, []
        monkeypatch.setattr(source, "read", lambda at, count: (asked.append(count), honest(at, count))[1])
        assert checksums_hold(source, begin, nbytes)
    assert asked == [1 << 16]


@pytest.mark.parametrize("noise", [b"\xff", b"\x1c", b"\x19", b"\x18\xff\xff\x7f", b"\x00"], ids=repr)
def test_bytes_that_are_no_page_have_no_checksum_that_holds(tmp_path, noise):
    path = tmp_path / "a.parquet"
    begin, nbytes = written(path)[0]
    content = bytearray(path.read_bytes())
    content[begin : begin + 2000] = noise * (2000 // len(noise))
    path.write_bytes(content)
    with open_source(the_file(path)) as source:
        assert not checksums_hold(source, begin, nbytes)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_header_or_are_said_to_be_none(data):
    try:
        page = read_page_header(data, 0)
    except (IndexError, ValueError):
        return
    assert 0 < page.end <= len(data)
    assert page.nbytes >= 0
