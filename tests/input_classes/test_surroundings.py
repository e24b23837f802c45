"""Classes of what is around a run: outputs, clocks, sizes, environments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.io.listing import list_input
from gpucurate.io.ranges import group_ranges
from tests.input_classes.corpus import DOCUMENTS, Command, check_books, dedup, report
from tests.input_classes.declared import texts


@pytest.mark.parametrize(
    ("output", "code", "why"),
    [
        ("full", 4, "is not empty"),
        ("in", 3, "lies in the input"),
        ("in/out", 3, "lies in the input"),
        ("full/x.txt", 3, "is a file"),
        ("/proc/nothing/here", 6, "cannot write"),
    ],
)
def test_58_outputs_that_cannot_be_are_refused(
    folder: Path, output: str, code: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "full").mkdir()
    (folder / "full" / "x.txt").write_text("something else")
    assert dedup(folder / "in", "-o", folder / output) == code
    assert why in capsys.readouterr().err
    assert (folder / "full" / "x.txt").read_text() == "something else"


def test_60_clocks_and_times_of_files_have_no_effect_on_resume(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, when in (("a.jsonl", 2**33), ("z.parquet", -(2**30))):
        os.utime(folder / "in" / name, (when, when))
    assert command().code == 0
    monkeypatch.setattr(time, "time", lambda: 1.0)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        ended = command()
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert ended.code == 0
    assert "an earlier run of this command had finished" in ended.said


def test_61_a_file_of_100_gigabytes_is_cut_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.touch()
    os.truncate(path, 100 * 10**9)  # a hole
    units = group_ranges(list_input([path]), 64 * 2**20)
    assert len(units) == 1491
    assert units[-1][0].stop == 100 * 10**9


@pytest.mark.slow
def test_61_a_million_files_are_planned_in_half_a_minute(tmp_path: Path, with_large_input: None) -> None:
    for i in range(1000):
        (tmp_path / f"{i:03d}").mkdir()
        for j in range(1000):
            os.close(os.open(tmp_path / f"{i:03d}/{j:03d}.jsonl", os.O_CREAT | os.O_WRONLY))
    began = time.monotonic()
    units = group_ranges(list_input([tmp_path]), 64 * 2**20)
    assert time.monotonic() - began < 30
    assert sum(len(unit) for unit in units) == 10**6


def call(folder: Path, *options: str, **environment: str | None) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, with variables set or, by None, not set."""
    command = [sys.executable, "-m", "gpucurate", "dedup", "exact", "in", "-o", "out", *options]
    variables = {k: v for k, v in {**os.environ, **environment}.items() if v is not None}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False, timeout=120)


def test_64_a_locale_of_ascii_no_home_and_no_terminal_are_enough(folder: Path) -> None:
    name = os.fsencode(folder / "in") + "/caf\u00e9.jsonl".encode()
    with open(name, "wb") as file:
        file.write('{"text": "na\u00efve \u6587"}\n'.encode() * 2)
    bare = {"HOME": None, "LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = call(folder, **bare, TERM=None)
    assert ended.returncode == 0, ended.stderr
    assert b"\x1b" not in ended.stdout + ended.stderr
    assert report(folder / "out")["books"]["kept"] == DOCUMENTS + 1


def test_64_a_home_that_cannot_be_written_to_is_enough(folder: Path) -> None:
    ended = call(folder, HOME="/proc", XDG_CACHE_HOME=None)
    assert ended.returncode == 0, ended.stderr
    assert report(folder / "out")["books"]["kept"] == DOCUMENTS


@pytest.mark.parametrize("stream", ["stdout", "stderr", "stdin"])
def test_64_closed_streams_are_no_error(folder: Path, stream: str) -> None:
    closing = {"stdout": "1>&-", "stderr": "2>&-", "stdin": "<&-"}[stream]
    command = f'"{sys.executable}" -m gpucurate dedup exact in -o out {closing}'
    ended = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert report(folder / "out")["books"]["kept"] == DOCUMENTS


PEAK = """
import resource
import sys
from gpucurate.cli.app import run
from gpucurate.memory.host_peak import peak_memory
code = run(sys.argv[1:])
largest_child = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print("peak", peak_memory(), largest_child, file=sys.stderr)
sys.exit(code)
"""


def peak_of(folder: Path, *options: str) -> int:
    """Bytes of memory that the command held at most, in one process of its own."""
    return peaks_of(folder, *options)[0]


def peaks_of(folder: Path, *options: str) -> tuple[int, int]:
    """Bytes that the command's own process held at most, and the largest of its workers, by the kernel."""
    arguments = ["dedup", "exact", "in", "-o", "out", "-q", *options]
    ended = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments], cwd=folder, capture_output=True, check=False, timeout=600
    )
    assert ended.returncode == 0, ended.stderr
    own, largest_child = ended.stderr.split(b"peak ")[-1].split()
    return int(own), int(largest_child)


def write_hole(path: Path, nbytes: int) -> None:
    """A good line, one of so many bytes that is a hole in the file, and a good one."""
    before = texts("before", 1) + b'{"text": "'
    path.write_bytes(before)
    os.truncate(path, len(before) + nbytes)
    with path.open("ab") as file:
        file.write(b'"}\n' + texts("after", 1))


@pytest.mark.parametrize(
    "number, nbytes",
    [(26, 300 * 10**6), pytest.param(27, 2 * 10**9, marks=pytest.mark.slow)],
)
def test_26_27_a_line_beyond_the_limit_is_passed_over_in_bounded_memory(
    folder: Path, number: int, nbytes: int, request: pytest.FixtureRequest
) -> None:
    if number == 27:
        request.getfixturevalue("with_large_input")
    write_hole(folder / "in" / "late.jsonl", nbytes)
    peak = peak_of(folder, "--executor", "inline", "--max-reject-rate", "1")
    books = report(folder / "out")["books"]
    check_books(books)
    assert (books["kept"], books["rejected"]) == (DOCUMENTS + 2, {"too_large": 1})
    assert peak < 600 * 10**6


def test_48_a_parquet_whose_dictionary_holds_one_long_text_is_read_in_bounded_memory(folder: Path) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 150, pa.int32()), ["x" * 8_000_000])
    pq.write_table(pa.table({"text": column}), folder / "in" / "late.parquet", compression="zstd")
    peak = peak_of(folder, "--executor", "inline")
    books = report(folder / "out")["books"]
    assert books["dropped"] == {"duplicates": 149}
    assert peak < 900 * 10**6, "1.2 GB would be all of them at once"


@pytest.mark.slow
@pytest.mark.parametrize("rows", [2**31 // 10**6 - 2, 2**31 // 10**6 + 2], ids=["below", "above"])
def test_44_a_row_group_of_2_to_the_31_bytes_of_text_is_read_in_slices(
    folder: Path, rows: int, with_large_input: None
) -> None:
    with pq.ParquetWriter(
        folder / "in" / "late.parquet", pa.schema([("text", pa.large_string())]), compression="zstd"
    ) as writer:
        text = "y" * 999_990
        column = pa.chunked_array([pa.array([f"{i:010d}{text}"], pa.large_string()) for i in range(rows)])
        writer.write_table(pa.table({"text": column}), row_group_size=rows)
    peak = peak_of(folder, "--executor", "inline")
    assert report(folder / "out")["books"]["kept"] == DOCUMENTS + rows
    assert peak < 1500 * 10**6


def write_corpus(folder: Path, megabytes: int) -> None:
    """Documents of 1 kB, a megabyte a file."""
    folder.mkdir()
    for i in range(megabytes):
        rows = [json.dumps({"text": f"{i} {j} " + "word " * 196}) for j in range(1000)]
        (folder / f"{i:04d}.jsonl").write_text("\n".join(rows) + "\n")


def peaks(folder: Path, megabytes: int, *options: str) -> tuple[int, int]:
    """Bytes that the command held at most over so large a corpus: in its own process, and in a worker."""
    place = folder / str(megabytes)
    place.mkdir()
    write_corpus(place / "in", megabytes)
    held = peaks_of(place, "--blocksize", "2MB", *options)
    assert report(place / "out")["books"]["kept"] == 1000 * megabytes
    return held


@pytest.mark.parametrize("options", [("--executor", "inline"), ("--workers", "2")], ids=["inline", "workers"])
def test_memory_does_not_grow_with_the_corpus(tmp_path: Path, options: tuple[str, ...]) -> None:
    small, large = (peaks(tmp_path, megabytes, *options) for megabytes in (20, 200))
    assert large[0] < 1.1 * small[0]
    assert large[1] <= 1.1 * small[1]
    assert (small[1] > 0) == ("--workers" in options), "workers are measured where there are any"
    assert sum(large) < 1500 * 10**6
