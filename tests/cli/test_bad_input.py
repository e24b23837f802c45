"""The whole command over good lines beside a file of each class of bad input."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from gpucurate.cli.app import run
from gpucurate.spec.names import decode_name
from tests.cli.bad_files import BAD_FILES, SOME, BadFile, lines, texts

GOOD = texts("good", 10)


def dedup(*arguments: str | Path) -> int:
    """Exit code of ``gpucurate dedup exact``, in this process."""
    return run(["dedup", "exact", *map(str, arguments), "--quiet", "--max-record-bytes", "1000000"])


def report(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "_gpucurate/report.json").read_text())
    return found


def rejects(output: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part in sorted((output / "_gpucurate/rejects").glob("*.zst")):
        with zstandard.ZstdDecompressor().stream_reader(part.read_bytes()) as stream:
            found += map(json.loads, io.TextIOWrapper(stream, "utf-8"))
    return found


def rows(path: Path) -> int:
    if path.suffix == ".parquet":
        return int(pq.ParquetFile(path).metadata.num_rows)
    content = path.read_bytes()
    if path.suffix in (".gz", ".zst"):
        codec = "gzip" if path.suffix == ".gz" else "zstd"
        content = pa.CompressedInputStream(pa.py_buffer(content), codec).read()
    return content.count(b"\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.jsonl").write_bytes(GOOD)
    return tmp_path


@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_costs_itself_alone_and_is_accounted_for(folder: Path, bad: BadFile) -> None:
    (folder / "in" / bad.name).write_bytes(bad.content)
    output = folder / "out"
    first = dedup(folder / "in", "-o", output)
    assert dedup(folder / "in", "-o", output, "--max-reject-rate", "1") == 0
    assert (output / "good.jsonl").read_bytes() == GOOD
    books = report(output)["books"]
    kept = books["kept"] - 10
    assert books["rejected"] == bad.rejects
    assert books["read"] == 10 + kept + sum(bad.rejects.values())
    assert first == (7 if sum(bad.rejects.values()) > 0.01 * books["read"] else 0)
    assert kept == bad.kept or (bad.kept == SOME and kept)
    written = output / bad.name
    assert (rows(written) if written.exists() else 0) == kept
    listed = rejects(output)
    assert Counter(reject["reason"] for reject in listed) == bad.rejects
    assert all(reject["path"] == bad.name and bad.says in reject["detail"] for reject in listed)


CORRUPT = [
    name
    for name, bad in BAD_FILES.items()
    if {"corrupt_file", "encoding", "bad_parquet"} & bad.rejects.keys()
]


@pytest.mark.parametrize("name", CORRUPT)
def test_a_broken_file_ends_the_run_if_it_should(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = BAD_FILES[name]
    (folder / "in" / bad.name).write_bytes(bad.content)
    assert dedup(folder / "in", "-o", folder / "out", "--on-corrupt", "fail") == 5
    error = capsys.readouterr().err
    assert f"{bad.name} is broken at" in error
    assert bad.says in error
    assert not (folder / "out/_gpucurate/_SUCCESS").exists()


def all_classes(folder: Path) -> Counter[str]:
    """All classes in one folder each; what is to be rejected."""
    expected: Counter[str] = Counter()
    for number, bad in enumerate(BAD_FILES.values()):
        place = folder / "in" / f"{number:02d}"
        place.mkdir()
        (place / bad.name).write_bytes(bad.content)
        expected.update(bad.rejects)
    return expected


def contents(output: Path) -> dict[str, bytes]:
    files = (p for p in output.rglob("*") if p.is_file() and "_gpucurate" not in p.parts)
    return {str(p.relative_to(output)): p.read_bytes() for p in files}


def test_all_classes_together_give_the_same_for_any_number_of_workers(folder: Path) -> None:
    expected = all_classes(folder)
    arguments = [folder / "in", "--max-reject-rate", "1", "--blocksize", "3MB"]
    assert dedup(*arguments, "-o", folder / "inline") == 0
    assert dedup(*arguments, "-o", folder / "local", "--workers", "2") == 0
    books = report(folder / "inline")["books"]
    assert books["rejected"] == expected
    assert books["read"] == books["kept"] + books["dropped"]["duplicates"] + sum(expected.values())
    assert contents(folder / "inline") == contents(folder / "local")
    assert report(folder / "local")["books"] == books


@pytest.mark.parametrize(
    "options", [["--format", "parquet"], ["--format", "jsonl"], ["--annotate"]], ids=" ".join
)
def test_all_classes_together_can_be_converted_and_annotated(folder: Path, options: list[str]) -> None:
    expected = all_classes(folder)
    output = folder / "out"
    assert dedup(folder / "in", "-o", output, "--max-reject-rate", "1", *options) == 0
    books = report(output)["books"]
    assert books["rejected"] == expected
    assert sum(rows(output / name) for name in contents(output)) == books["kept"]


NAMES = [b"with space", b"new\nline", b"\"quo'te", b"100%25", b"a#b?c", b"-rf", b"\xff\xfe", b"x" * 249]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_files_of_any_name_keep_it(tmp_path: Path, name: bytes) -> None:
    source = tmp_path / "in" / os.fsdecode(name) / (os.fsdecode(name) + ".jsonl")
    source.parent.mkdir(parents=True)
    source.write_bytes(lines({"text": "a"}, {"text": "a"}, b"{broken"))
    output = tmp_path / os.fsdecode(name)
    assert dedup(tmp_path / "in", "-o", output, "--max-reject-rate", "1") == 0
    assert (output / source.relative_to(tmp_path / "in")).read_bytes() == lines({"text": "a"})
    (reject,) = rejects(output)
    assert decode_name(reject["path"]) == str(source.relative_to(tmp_path / "in"))
    manifest = json.loads((output / "_gpucurate/manifest.json").read_text(encoding="ascii"))
    assert [decode_name(f["name"]) for f in manifest["files"]] == [str(source.relative_to(tmp_path / "in"))]


@pytest.mark.parametrize(
    ("name", "note"),
    [("text named .gz", "holds plain text"), ("gzip and garbage", "bytes after the end of the gzip")],
)
def test_what_was_odd_but_cost_nothing_is_noted(
    folder: Path, name: str, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "in" / BAD_FILES[name].name).write_bytes(BAD_FILES[name].content)
    assert dedup(folder / "in", "-o", folder / "out") == 0
    assert note in capsys.readouterr().out


def test_files_whose_outputs_would_share_a_name_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "in" / "good.ndjson").write_bytes(GOOD)
    assert dedup(folder / "in", "-o", folder / "out", "--format", "parquet") == 3
    assert "would both be written to good.parquet" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_compression_that_an_output_cannot_have_is_refused_before_work_starts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dedup(folder / "in", "-o", folder / "out", "--compression", "snappy") == 3
    assert "jsonl is not written with compression 'snappy'" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_fields_that_annotations_add_are_refused_where_they_are_there_already(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dedup(folder / "in", "-o", folder / "out", "--annotate") == 0
    assert dedup(folder / "out", "-o", folder / "again", "--annotate") == 3
    assert "_gpucurate_cluster" in capsys.readouterr().err
    assert dedup(folder / "out", "-o", folder / "again") == 0


@pytest.mark.parametrize("output", ["s3://bucket/out", "memory://out"])
def test_an_output_that_is_a_url_is_refused(
    folder: Path, output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert dedup("in", "-o", output) == 3
    assert "is a URL" in capsys.readouterr().err
    assert os.listdir(folder) == ["in"]


def test_an_empty_path_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dedup("", "-o", folder / "out") == 5
    assert "an empty path" in capsys.readouterr().err
