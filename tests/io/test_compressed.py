"""gzip and zstd files, whole, joined, cut off, garbled, misnamed and malicious."""

import gzip
import os
import random
import zlib

import pytest
import zstandard

from gpucurate.spec.errors import InputError
from tests.io.reading import ReadLimits, read

LINES = [b'{"text": "text %d %d"}' % (i, i * i) for i in range(2000)]
CONTENT = b"\n".join(LINES) + b"\n"


def incompressible(count):
    made = random.Random(1)
    return [b'{"text": "%s"}' % made.randbytes(300).hex().encode() for _ in range(count)]


def is_prefix(outcome, lines):
    return outcome.originals == lines[: len(outcome.originals)]


@pytest.mark.parametrize("suffix", [".gz", ".gzip", ".GZ"])
def test_gzip_is_read_by_any_of_its_suffixes(tmp_path, suffix):
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(gzip.compress(CONTENT))
    assert read(path).originals == LINES


def test_gzip_members_are_read_one_after_the_other(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    cut = len(CONTENT) // 2  # within a line
    path.write_bytes(gzip.compress(CONTENT[:cut]) + gzip.compress(b"") + gzip.compress(CONTENT[cut:]))
    outcome = read(path)
    assert (outcome.originals, outcome.notes) == (LINES, [])


def test_many_small_gzip_members_are_read(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"".join(gzip.compress(line + b"\n") for line in LINES))
    assert read(path).originals == LINES


def test_zeros_behind_a_gzip_are_padding(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(CONTENT) + b"\0" * 100_000)
    outcome = read(path)
    assert (outcome.originals, outcome.notes, outcome.rejects) == (LINES, [], [])


@pytest.mark.parametrize("codec", ["gz", "zst"])
def test_garbage_behind_the_end_is_a_note(tmp_path, codec):
    path = tmp_path / f"a.jsonl.{codec}"
    packed = gzip.compress(CONTENT) if codec == "gz" else zstandard.compress(CONTENT)
    path.write_bytes(packed + b"garbage")
    outcome = read(path)
    assert (outcome.originals, outcome.rejects) == (LINES, [])
    assert outcome.notes == [f"bytes after the end of the {'gzip' if codec == 'gz' else 'zstd'} were ignored"]


@pytest.mark.parametrize("codec", ["gz", "zst"])
def test_a_truncated_file_gives_its_intact_prefix_and_one_reject(tmp_path, codec):
    lines = incompressible(3000)
    content = b"\n".join(lines) + b"\n"
    packed = gzip.compress(content) if codec == "gz" else zstandard.compress(content)
    path = tmp_path / f"a.jsonl.{codec}"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    outcome = read(path, piece_bytes=100_000)
    assert outcome.reasons == [("corrupt_file", None)]
    assert is_prefix(outcome, lines)
    assert len(outcome.originals) > 1500
    assert outcome.num_records == len(outcome.originals)
    _, _, offset, detail, _ = outcome.rejects[0]
    assert offset == sum(len(line) + 1 for line in outcome.originals)
    assert "ends within its data" in detail


@pytest.mark.parametrize("codec", ["gz", "zst"])
def test_a_garbled_middle_gives_what_was_before_it_and_one_reject(tmp_path, codec):
    lines = incompressible(3000)
    content = b"\n".join(lines)
    zstd = zstandard.ZstdCompressor(write_checksum=True)
    packed = bytearray(gzip.compress(content) if codec == "gz" else zstd.compress(content))
    middle = len(packed) // 2
    packed[middle : middle + 200] = bytes(200)
    path = tmp_path / f"a.jsonl.{codec}"
    path.write_bytes(packed)
    outcome = read(path, piece_bytes=100_000)
    assert outcome.reasons[-1] == ("corrupt_file", None)
    assert outcome.originals[:1400] == lines[:1400]


def test_a_bad_gzip_checksum_is_a_reject(tmp_path):
    packed = bytearray(gzip.compress(CONTENT))
    packed[-8] ^= 1
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed)
    outcome = read(path)
    assert outcome.reasons == [("corrupt_file", None)]
    assert "incorrect data check" in outcome.rejects[0][3]


def test_a_bad_zstd_checksum_is_a_reject_after_the_lines_before_it(tmp_path):
    packed = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(CONTENT))
    packed[-1] ^= 1
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(packed)
    outcome = read(path)
    assert outcome.reasons == [("corrupt_file", None)]
    assert "checksum" in outcome.rejects[0][3].lower()


def test_a_broken_stream_is_an_error_if_it_should_be(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(CONTENT)[:-100])
    with pytest.raises(InputError, match=r"a\.jsonl\.gz is broken at byte \d+: the gzip ends"):
        read(path, limits=ReadLimits(on_corrupt="fail"))


def test_zstd_frames_and_skippable_frames_are_read_one_after_the_other(tmp_path):
    cut = len(CONTENT) // 2
    skippable = b"\x51\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"abcde"
    path = tmp_path / "a.jsonl.zst"
    parts = [
        zstandard.compress(CONTENT[:cut]),
        skippable,
        zstandard.compress(b""),
        zstandard.compress(CONTENT[cut:]),
    ]
    path.write_bytes(skippable + b"".join(parts))
    outcome = read(path)
    assert (outcome.originals, outcome.notes, outcome.rejects) == (LINES, [], [])


@pytest.mark.parametrize("level", [-5, 1, 3, 19])
def test_zstd_of_any_level_is_read(tmp_path, level):
    path = tmp_path / "a.jsonl.zst"
    encoder = zstandard.ZstdCompressor(
        level=level, write_checksum=True, write_content_size=False
    ).compressobj()
    path.write_bytes(encoder.compress(CONTENT) + encoder.flush())
    assert read(path).originals == LINES


@pytest.mark.parametrize("window_log, is_read", [(27, True), (28, False)])
def test_a_zstd_window_is_accepted_up_to_128_mib(tmp_path, window_log, is_read):
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log)
    encoder = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(encoder.compress(CONTENT) + encoder.flush())
    outcome = read(path)
    if is_read:
        assert outcome.originals == LINES
    else:
        assert outcome.reasons == [("corrupt_file", None)]
        assert "window of 256 MiB" in outcome.rejects[0][3]


@pytest.mark.parametrize(
    "name, content, what",
    [
        ("a.jsonl.gz", CONTENT, "named as gzip, but holds plain text"),
        ("a.jsonl.zst", CONTENT, "named as zstd, but holds plain text"),
        ("a.jsonl.gz", zstandard.compress(CONTENT), "named as gzip, but holds zstd"),
        ("a.jsonl.zst", gzip.compress(CONTENT), "named as zstd, but holds gzip"),
    ],
)
def test_a_misnamed_file_is_read_by_what_it_is_with_a_note(tmp_path, name, content, what):
    (tmp_path / name).write_bytes(content)
    outcome = read(tmp_path / name)
    assert (outcome.originals, outcome.notes) == (LINES, [what])


@pytest.mark.parametrize(
    "content",
    [os.urandom(5000), b"\0" * 5000, b"\x1f\x8b" + b"\xff" * 100],
    ids=["random", "zeros", "header"],
)
def test_a_file_of_something_else_is_one_reject(tmp_path, content):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    assert read(path).reasons == [("corrupt_file", None)]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_an_empty_file_has_no_records(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    outcome = read(tmp_path / name)
    assert (outcome.num_records, outcome.rejects, outcome.notes) == (0, [], [])


def test_a_byte_order_mark_inside_of_a_gzip_is_dropped(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + CONTENT))
    assert read(path).originals == LINES


def test_utf16_inside_of_a_gzip_is_one_reject(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(CONTENT.decode().encode("utf-16")))
    assert read(path).reasons == [("encoding", None)]


def zeros(size):
    encoder = zstandard.ZstdCompressor(level=1).compressobj()
    block = bytes(1 << 22)
    return b"".join([encoder.compress(block) for _ in range(size // len(block))]) + encoder.flush()


def test_a_gigabyte_of_zeros_is_one_line_too_large(tmp_path):
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zeros(1 << 29))
    outcome = read(path, piece_bytes=1 << 20)
    assert outcome.reasons == [("too_large", 0)]
    assert f"{1 << 29} bytes" in outcome.rejects[0][3]


@pytest.mark.slow
def test_a_bomb_is_stopped_beyond_a_gibibyte(tmp_path):
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(b'{"text": "a"}\n' and zstandard.compress(b'{"text": "a"}\n') + zeros(3 << 29))
    outcome = read(path, piece_bytes=1 << 20)
    assert outcome.reasons == [("corrupt_file", None)]
    assert "decompression bomb" in outcome.rejects[0][3]
    assert outcome.texts == ["a"]


def test_raw_deflate_errors_do_not_lose_earlier_pieces(tmp_path):
    lines = incompressible(2000)
    encoder = zlib.compressobj(wbits=31)
    packed = encoder.compress(b"\n".join(lines)) + encoder.flush(zlib.Z_FULL_FLUSH)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed + b"\xff" * 1000)
    outcome = read(path, piece_bytes=10_000)
    assert outcome.reasons == [("corrupt_file", None)]
    assert is_prefix(outcome, lines)
    assert len(outcome.originals) > 1500
