"""Files that change or vanish between listing and the end of reading."""

import os

import pytest

from gpucurate.io.ranges import split_file
from gpucurate.io.reader import read_range
from gpucurate.io.schema import schema_names
from gpucurate.spec.errors import InputError
from tests.io.reading import read_ranges, the_file


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n' * 100)
    return path, the_file(path)


CHANGES = {
    "grown": lambda path: path.write_bytes(path.read_bytes() + b"{}\n"),
    "shrunk": lambda path: os.truncate(path, 50),
    "rewritten": lambda path: path.write_bytes(path.read_bytes().replace(b"a", b"b")),
    "touched": lambda path: os.utime(path, ns=(0, 12345)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_before_reading_is_an_error_that_names_the_file(listed, change):
    path, file = listed
    ranges = split_file(file, 1 << 30)
    change(path)
    with pytest.raises(InputError, match=r"a\.jsonl changed while it was read"):
        read_ranges(ranges)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_while_reading_is_an_error_at_the_end(listed, change):
    path, file = listed
    (source,) = split_file(file, 1 << 30)
    pieces = read_range(source, fields=("text",), text_fields=("text",), keep_original=True, piece_bytes=100)
    assert next(pieces).num_rows == 7
    change(path)
    with pytest.raises(InputError, match="changed while it was read"):
        list(pieces)


def test_a_file_that_vanished_is_an_error(listed):
    path, file = listed
    path.unlink()
    with pytest.raises(InputError, match="vanished after it was listed"):
        read_ranges(split_file(file, 1 << 30))
    with pytest.raises(InputError, match="vanished"):
        schema_names(file)


def test_a_fifo_in_the_place_of_a_file_does_not_hang(listed):
    path, file = listed
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="not a regular file any more"):
        read_ranges(split_file(file, 1 << 30))
