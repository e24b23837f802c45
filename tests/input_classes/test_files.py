"""The whole command over good documents beside a file of each class of bad input."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.input_classes.corpus import (
    DOCUMENTS,
    GOOD,
    Command,
    Ended,
    all_classes,
    check_books,
    contents,
    dedup,
    report,
    rows,
    write_good,
)
from tests.input_classes.declared import SOME, BadFile
from tests.input_classes.files import BAD_FILES


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the good documents give without a bad file beside them."""
    folder = tmp_path_factory.mktemp("good")
    assert dedup(write_good(folder / "in"), "-o", folder / "out") == 0
    return contents(folder / "out")


@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_costs_itself_alone_and_is_accounted_for(
    folder: Path, bad: BadFile, command: Command, alone: dict[str, bytes]
) -> None:
    (folder / "in" / bad.name).write_bytes(bad.content)
    ended = command("--max-reject-rate", "1")
    assert ended.code == 0, ended.said
    assert ended.is_finished
    check_books(ended.books)
    assert ended.books["rejected"] == bad.rejects
    kept = ended.books["kept"] - DOCUMENTS
    assert kept == bad.kept or (bad.kept == SOME and kept)
    written = ended.output / bad.name
    assert (rows(written) if written.exists() else 0) == kept
    assert {k: v for k, v in ended.contents.items() if k != bad.name} == alone
    if bad.is_copied:
        assert written.read_bytes() == bad.content
    assert bad.prints in ended.said
    check_rejects(bad, ended.rejects)


def check_rejects(bad: BadFile, listed: list[dict[str, Any]]) -> None:
    """Each says file, line, offset and reason, and shows at most 200 bytes."""
    assert Counter(reject["reason"] for reject in listed) == bad.rejects
    for reject in listed:
        assert reject["path"] == bad.name
        assert bad.says in reject["detail"]
        assert reject["offset"] >= 0
        assert reject["line"] is None or reject["line"] == reject["row"] + 1
        assert len(reject["snippet"]) <= 4 * 200  # \xff is four characters
        if bad.name == "late.jsonl" and reject["line"] is not None:
            shown = bad.content[reject["offset"] :].split(b"\n")[0][:200].rstrip(b"\r")
            assert reject["snippet"] == shown.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_alone_is_a_sentence_at_worst(
    tmp_path: Path, bad: BadFile, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / bad.name).write_bytes(bad.content)
    code = dedup(tmp_path / bad.name, "-o", tmp_path / "out")
    said = "".join(capsys.readouterr())
    assert "Traceback" not in said
    if code == 3:  # there is no column of text to begin with
        assert "no column 'text'" in said
        return
    ended = Ended(code, tmp_path / "out", said)
    check_books(ended.books)
    assert code == (7 if sum(bad.rejects.values()) > 0.01 * ended.books["read"] else 0)


CORRUPT = [name for name, bad in BAD_FILES.items() if bad.is_broken]


@pytest.mark.parametrize("name", CORRUPT)
def test_a_broken_file_ends_the_run_if_it_should(folder: Path, name: str, command: Command) -> None:
    bad = BAD_FILES[name]
    (folder / "in" / bad.name).write_bytes(bad.content)
    ended = command("--on-corrupt", "fail")
    assert ended.code == 5
    assert f"{bad.name} is broken at" in ended.said
    assert bad.says in ended.said
    assert not ended.is_finished


def test_all_classes_together_give_the_same_for_any_number_of_workers(folder: Path) -> None:
    expected = all_classes(folder)
    arguments = [folder / "in", "--max-reject-rate", "1", "--blocksize", "3MB"]
    assert dedup(*arguments, "-o", folder / "inline") == 0
    assert dedup(*arguments, "-o", folder / "local", "--workers", "2") == 0
    books = report(folder / "inline")["books"]
    assert books["rejected"] == expected
    check_books(books)
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


def test_files_whose_outputs_would_share_a_name_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "in" / "a.ndjson").write_bytes(GOOD["a.jsonl"])
    assert dedup(folder / "in", "-o", folder / "out", "--format", "parquet") == 3
    assert "would both be written to a.parquet" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_compression_that_an_output_cannot_have_is_refused_before_work_starts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dedup(folder / "in", "-o", folder / "out", "--compression", "snappy") == 3
    assert "jsonl is not written with compression 'snappy'" in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("output", "why"), [("s3:/bucket/out", "was made a Path"), ("hf://datasets/x", "is not written to")]
)
def test_an_output_that_is_a_broken_url_or_cannot_be_written_to_is_refused(
    folder: Path, output: str, why: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert dedup("in", "-o", output) == 3
    assert why in " ".join(capsys.readouterr().err.split())
    assert os.listdir(folder) == ["in"]


def test_an_empty_path_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dedup("", "-o", folder / "out") == 5
    assert "an empty path" in capsys.readouterr().err
