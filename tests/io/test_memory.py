"""Reading stays in bounded memory, whatever the size of files and lines."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from gpucurate.io.listing import list_input
from gpucurate.io.ranges import split_file
from gpucurate.io.reader import read_range
from gpucurate.io.limits import ReadLimits

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

def read(path):
    rows, rejects = 0, []
    for source in split_file(list_input([path]).files[0], 64 << 20):
        for piece in read_range(source, fields=("text",), text_fields=("text",), keep_original=True,
                                piece_bytes=4 << 20, limits=ReadLimits(max_record_bytes=1 << 20)):
            rows += piece.num_rows
            rejects += [r.reason for r in piece.rejects]
    return rows, rejects

warm = read(sys.argv[1])
before = peak()
rows, rejects = read(sys.argv[2])
print(rows, ",".join(rejects), peak() - before)
"""


def grown(tmp_path, path):
    """Rows, rejects, and MiB by which the peak grew over that of a small file."""
    small = tmp_path / "small.jsonl"
    small.write_bytes(b'{"text": "' + b"a" * 1000 + b'"}\n' * 8000 + b"{broken\n")
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, small, path], capture_output=True, text=True, check=True
    )
    rows, rejects, growth = run.stdout.rstrip("\n").split(" ")
    return int(rows), rejects, int(growth)


def test_a_file_of_150_mib_is_read_in_pieces(tmp_path):
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        for _ in range(150):
            file.write((b'{"text": "' + b"b" * 1010 + b'"}\n') * 1024)
    rows, rejects, growth = grown(tmp_path, path)
    assert (rows, rejects) == (150 * 1024, "")
    assert growth < 48


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_a_line_of_300_mib_is_passed_over(tmp_path, codec):
    import zstandard

    path = tmp_path / ("large.jsonl" if codec == "none" else "large.jsonl.zst")
    with path.open("wb") as raw:
        file = raw if codec == "none" else zstandard.ZstdCompressor(level=1).stream_writer(raw, closefd=False)
        file.write(b'{"text": "a"}\n{"text": "')
        for _ in range(300):
            file.write(b"c" * (1 << 20))
        file.write(b'"}\n{"text": "b"}\n')
        if codec == "zstd":
            file.close()
    rows, rejects, growth = grown(tmp_path, path)
    assert (rows, rejects) == (2, "too_large")
    assert growth < 48


def test_short_lines_that_are_all_rejected_are_held_a_few_at_a_time(tmp_path):
    path = tmp_path / "pretty-printed.jsonl"
    path.write_bytes(b'  "a",\n' * 300_000)
    rows, rejects, growth = grown(tmp_path, path)
    assert (rows, rejects.count("bad_json")) == (0, 300_000)
    assert growth < 64
