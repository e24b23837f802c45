"""JSON lines read on a device: the rows, records, originals and rejects of the host's reader."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame import table as frame
from gpucurate.frame.transfers import counted_for
from gpucurate.io.jsonl.chunks import Chunk
from gpucurate.io.jsonl.device_reader import _halves
from gpucurate.io.ranges import split_file
from gpucurate.io.reader import read_range
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.cuda import CUDA
from gpucurate.spec.statistics import StagePerfStats
from tests.io.reading import WHOLE, ReadLimits, read, the_file
from tests.io.test_fast_fields import lines_of_any_kind
from tests.io.test_rows import BAD_LINES, STRANGE_BUT_RIGHT

GOOD = [json.dumps({"id": f"n{i}", "text": f"text {i} \n\té漢"}, ensure_ascii=i % 2 == 0) for i in range(60)]


@pytest.fixture
def memory(cuda):
    """Memory of the device, all of which must be given back."""
    opened = GpuMemory(None)
    yield opened
    CUDA.forget_tables()
    opened.close()


def agree(path, memory, **options):
    """Read on both sides; the figures of the device's."""
    stats = StagePerfStats("reader")
    with counted_for(stats):
        found = read(path, gpu=memory, **options)
    expected = read(path, **options)
    for what in ("rows", "records", "originals", "rejects", "num_records", "num_blank", "notes"):
        assert getattr(found, what) == getattr(expected, what), what
    return stats, found


def write(path, lines, end=b"\n"):
    path.write_bytes(end.join(line if isinstance(line, bytes) else line.encode() for line in lines) + end)
    return path


def on_device(outcome):
    return [frame.device_of(piece.table) for piece in outcome.pieces]


def test_usual_lines_go_up_once_and_nothing_comes_back_but_where_they_are(tmp_path, memory):
    path = write(tmp_path / "a.jsonl", GOOD)
    stats = StagePerfStats("reader")
    with counted_for(stats):
        outcome = read(path, gpu=memory, keep_original=False)
    up = stats.host_to_device_bytes
    assert path.stat().st_size <= up < path.stat().st_size + 100
    assert not stats.departures
    assert on_device(outcome) == ["cuda"]
    agree(path, memory)


@pytest.mark.parametrize("line, reason", BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_the_same_reject(tmp_path, memory, line, reason):
    path = write(tmp_path / "a.jsonl", [*GOOD[:17], line, *GOOD[17:]])
    stats, outcome = agree(path, memory)
    assert outcome.reasons == [(reason, 17)]
    assert on_device(outcome) == ["cuda"]
    assert dict(stats.departures) == {"lines of unusual JSON": 1}


def test_strange_lines_are_rows_like_others(tmp_path, memory):
    for name, (line, text) in STRANGE_BUT_RIGHT.items():
        path = write(tmp_path / "a.jsonl", [*GOOD[:9], line, *GOOD[9:]])
        _, outcome = agree(path, memory)
        assert outcome.texts[9] == text, name


@pytest.mark.parametrize("fields", [("text",), ("text", "id"), ("id", "text", "none")])
def test_other_fields_of_strings_are_read_there_too(tmp_path, memory, fields):
    lines = [
        *GOOD,
        '{"text": "without an id"}',
        '{"id": null, "text": ""}',
        '{"\\u0069d": "x", "text": "disguised"}',
    ]
    stats, outcome = agree(write(tmp_path / "a.jsonl", lines), memory, fields=fields)
    expected = ["cuda"] if "none" not in fields else ["cpu"]
    assert on_device(outcome) == expected
    assert ("field none holds more than strings" in stats.departures) == ("none" in fields)


@pytest.mark.parametrize("value", ["7", "[1]", "{}", "true"])
def test_a_field_of_other_things_is_left_to_the_host_and_named(tmp_path, memory, value):
    lines = [*GOOD, f'{{"id": {value}, "text": "a"}}']
    stats, outcome = agree(write(tmp_path / "a.jsonl", lines), memory, fields=("text", "id"))
    assert on_device(outcome) == ["cpu"]
    assert stats.departures["field id holds more than strings"] == 61


def test_a_field_that_an_unusual_line_fills_otherwise_is_left_to_the_host(tmp_path, memory):
    lines = [*GOOD, '{"text": "a", "\\u0069d": 7}']
    _, outcome = agree(write(tmp_path / "a.jsonl", lines), memory, fields=("text", "id"))
    assert on_device(outcome) == ["cpu"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("unit", [100, 1000, 1 << 30])
def test_ranges_blank_lines_and_ends_of_lines(tmp_path, memory, end, unit):
    lines = [*GOOD[:10], b"", b"  \t", *GOOD[10:], b"", b'{"text": 1}', b"\r"]
    agree(write(tmp_path / "a.jsonl", lines, end), memory, unit=unit)


def test_lines_that_are_too_long_are_rejects(tmp_path, memory):
    lines = [*GOOD, json.dumps({"text": "y" * 900}), *GOOD]
    limits = ReadLimits(max_record_bytes=500)
    _, outcome = agree(write(tmp_path / "a.jsonl", lines), memory, limits=limits)
    assert outcome.reasons == [("too_large", 60)]


def test_where_most_lines_are_unusual_the_host_takes_them(tmp_path, memory):
    path = write(tmp_path / "a.jsonl", [line for line, _ in BAD_LINES.values()])
    stats, outcome = agree(path, memory)
    assert set(on_device(outcome)) == {"cpu"}
    assert stats.departures["lines of unusual JSON"] == len(BAD_LINES)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b'{"text": "no end"}', b"\n\n\n"])
def test_hardly_anything(tmp_path, memory, content):
    (tmp_path / "a.jsonl").write_bytes(content)
    agree(tmp_path / "a.jsonl", memory)


def test_compressed_lines_go_the_same_way(tmp_path, memory):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(GOOD).encode()))
    _, outcome = agree(path, memory)
    assert on_device(outcome) == ["cuda"]


def test_all_fields_or_none_are_the_hosts_work(tmp_path, memory):
    path = write(tmp_path / "a.jsonl", GOOD)
    for fields in (None, ()):
        _, outcome = agree(path, memory, fields=fields, text_fields=())
        assert set(on_device(outcome)) == {"cpu"}


def test_a_chunk_that_does_not_fit_is_read_in_halves(tmp_path, cuda):
    path = write(tmp_path / "a.jsonl", GOOD * 20)
    small = GpuMemory(2 * path.stat().st_size)
    _, outcome = agree(path, small)
    assert len(outcome.pieces) > 1
    assert set(on_device(outcome)) == {"cuda"}
    del outcome
    small.close()


def test_a_reader_that_is_given_up_leaves_no_copy_under_way(tmp_path, memory):
    path = write(tmp_path / "a.jsonl", GOOD * 20)
    (whole,) = split_file(the_file(path), WHOLE)
    chosen = {"fields": ("text",), "text_fields": ("text",), "keep_original": False, "piece_bytes": 4096}
    pieces = read_range(whole, gpu=memory, **chosen)
    next(pieces)  # the second chunk is on its way meanwhile
    pieces.close()
    assert memory.pool.current_bytes == 0
    agree(path, memory, keep_original=False)


def test_the_bytes_of_a_chunk_are_not_held_while_its_piece_is_worked_on(tmp_path, memory):
    path = write(tmp_path / "a.jsonl", [json.dumps({"text": "a", "more": "z" * 50_000})] * 3)
    (whole,) = split_file(the_file(path), WHOLE)
    for piece in read_range(whole, gpu=memory, fields=("text",), text_fields=("text",), keep_original=False):
        assert piece.num_rows == 3
        assert memory.pool.current_bytes < 5_000


def test_what_is_left_to_the_host_is_not_held_on_the_device_meanwhile(tmp_path, memory):
    path = write(tmp_path / "a.jsonl", [json.dumps({"text": "a" * 90, "score": 7})] * 40)
    (whole,) = split_file(the_file(path), WHOLE)
    chosen = {"fields": ("text", "score"), "text_fields": ("text",), "keep_original": False}
    for piece in read_range(whole, gpu=memory, **chosen):
        assert frame.device_of(piece.table) == "cpu"
        assert memory.pool.current_bytes == 0


def test_a_line_that_does_not_fit_is_said_to_be_too_much(tmp_path, cuda):
    path = write(tmp_path / "a.jsonl", [json.dumps({"text": "z" * 50_000})])
    small = GpuMemory(20_000)
    with pytest.raises(MemoryError):
        read(path, gpu=small)
    small.close()


@pytest.mark.parametrize("data", [b"a\nb\n", b"a\n" + b"b" * 50 + b"\n", b"a" * 50 + b"\nb\n", b"a\nb\nc\nd"])
def test_halves_are_whole_lines(data):
    first, second = _halves(Chunk(np.frombuffer(data, np.uint8), 100))
    assert first.data.tobytes() + second.data.tobytes() == data
    assert first.data[-1] == 10
    assert len(second.data)
    assert second.offset == 100 + len(first.data)


@pytest.mark.parametrize("data", [b"", b"a", b"\n", b"abc\n"])
def test_one_line_has_no_halves(data):
    assert _halves(Chunk(np.frombuffer(data, np.uint8), 0)) is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(lines_of_any_kind(), max_size=4), gaps=st.lists(st.integers(0, 6), max_size=4))
def test_lines_of_any_kind_among_good_ones(tmp_path, memory, lines, gaps):
    mixed = list(map(str.encode, GOOD))
    for line, gap in zip(lines, gaps, strict=False):
        mixed.insert(gap * 8, line)
    agree(write(tmp_path / "a.jsonl", mixed), memory, fields=("text", "id"))
