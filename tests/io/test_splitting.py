"""However a file is cut into ranges and pieces, the same records come out."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.io.ranges import split_file
from gpucurate.spec.source import FileRange
from tests.io.reading import ReadLimits, read, read_ranges, the_file

LINES = st.sampled_from(
    [b'{"text": "a"}', b'{"text": "' + b"long " * 30 + b'"}', b"", b"  ", b"{bad", b"[]", b"\r",
    b'{"text": 1}',
     '{"text": "é漢😀"}'.encode(), b"x" * 90]
)  # fmt: skip
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def seen(outcome):
    return (
        outcome.rows,
        outcome.records,
        outcome.originals,
        outcome.rejects,
        outcome.num_records,
        outcome.num_blank,
    )


@QUICK
@given(
    lines=st.lists(LINES, max_size=12),
    end=st.sampled_from([b"\n", b"\r\n"]),
    has_last_newline=st.booleans(),
    has_bom=st.booleans(),
    cuts=st.lists(st.integers(1, 600), max_size=6),
    piece_bytes=st.integers(1, 300),
    max_record_bytes=st.sampled_from([40, 100, 10_000]),
)
def test_any_split_and_any_piece_size_give_what_the_whole_gives(
    tmp_path, lines, end, has_last_newline, has_bom, cuts, piece_bytes, max_record_bytes
):
    path = tmp_path / "a.jsonl"
    content = end.join(lines) + (end if has_last_newline and lines else b"")
    path.write_bytes(b"\xef\xbb\xbf" * has_bom + content)
    file = the_file(path)
    limits = ReadLimits(max_record_bytes=max_record_bytes)
    whole = read_ranges((FileRange(file, 0, file.size),), limits=limits)
    bounds = [0, *sorted({c for c in cuts if c < file.size}), file.size]
    ranges = tuple(
        FileRange(file, a, b, i, len(bounds) - 1) for i, (a, b) in enumerate(itertools.pairwise(bounds))
    )
    assert seen(read_ranges(ranges, piece_bytes=piece_bytes, limits=limits)) == seen(whole)
    assert whole.num_records == len(find_all_lines(content))


def find_all_lines(content):
    lines = content.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def test_ranges_are_multiples_of_the_unit_and_do_not_depend_on_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * 250)
    ranges = split_file(the_file(path), 100)
    assert [(r.start, r.stop, r.ordinal, r.count) for r in ranges] == [
        (0, 100, 0, 3),
        (100, 200, 1, 3),
        (200, 250, 2, 3),
    ]


def test_a_compressed_file_gives_the_same_pieces_as_the_plain_one(tmp_path):
    import gzip

    import zstandard

    content = (
        b"".join(b'{"text": "%d %s"}\n' % (i, b"x" * (i * 37 % 200)) for i in range(500)) + b'{"text": "end"}'
    )
    (tmp_path / "a.jsonl").write_bytes(content)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(content))
    (tmp_path / "a.jsonl.zst").write_bytes(zstandard.compress(content))
    plain, packed, zstd = (read(tmp_path / f"a.jsonl{s}", piece_bytes=1000) for s in ("", ".gz", ".zst"))
    assert seen(plain) == seen(packed) == seen(zstd)
    assert [p.num_records for p in packed.pieces] == [p.num_records for p in zstd.pieces]
    assert len(packed.pieces) > 10


def test_pieces_hold_at_most_the_bytes_asked_for_and_the_line_that_crosses_the_end(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "0123456789"}\n' * 1000)
    outcome = read(path, piece_bytes=1000)
    assert max(len(p.original.data) for p in outcome.pieces) <= 1000 + 23
    assert len(outcome.pieces) <= 25


LARGE = b'{"text": "' + b"y" * 5000 + b'"}'


@pytest.mark.parametrize("piece_bytes", [10, 100, 4999, 100_000])
@pytest.mark.parametrize("unit", [64, 1 << 40])
def test_a_line_that_is_too_large_is_skipped_with_its_length_and_place(tmp_path, piece_bytes, unit):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n' + LARGE + b'\n{"text": "b"}\n')
    outcome = read(path, unit, piece_bytes=piece_bytes, limits=ReadLimits(max_record_bytes=1000))
    assert outcome.texts == ["a", "b"]
    ((reason, line, offset, detail, snippet),) = outcome.rejects
    assert (reason, line, offset, snippet) == ("too_large", 1, 14, LARGE[:200])
    assert f"{len(LARGE)} bytes" in detail


def test_a_too_large_last_line_without_newline_is_a_reject_too(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n' + LARGE)
    limits = ReadLimits(max_record_bytes=1000)
    assert read(path, piece_bytes=10, limits=limits).reasons == [("too_large", 1)]


def test_a_line_of_just_the_allowed_length_is_kept(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LARGE + b"\n" + LARGE)
    assert len(read(path, piece_bytes=10, limits=ReadLimits(max_record_bytes=len(LARGE))).rows) == 2
    assert len(read(path, piece_bytes=10, limits=ReadLimits(max_record_bytes=len(LARGE) - 1)).rejects) == 2
