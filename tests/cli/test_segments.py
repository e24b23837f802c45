"""``gpucurate dedup lines`` and ``paragraphs`` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gpucurate.cli.app import run
from tests.input_classes.corpus import all_classes, contents, report, rows

OWN = [f"Page {i} says this of its own\n\nAll  rights reserved\nok" for i in range(8)]
PAGES = [*OWN, "ALL rights reserved"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in PAGES))
    return tmp_path


def dedup(*arguments: str | Path) -> int:
    return run(["dedup", *map(str, arguments), "--quiet"])


def texts(output: Path) -> list[str]:
    return [json.loads(line)["text"] for line in (output / "a.jsonl").read_text().splitlines()]


def test_lines_prints_what_was_cut_and_where(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        dedup("lines", folder / "in", "-o", folder / "out", "--min-length", "19", "--list-cuts", "--log-text")
        == 0
    )
    out = capsys.readouterr().out
    assert "9 read, 8 kept, 1 dropped, 0 rejected" in out
    assert "33 seen, 17 compared, 9 distinct" in out
    assert "cuts       8 segments, 166 B of text, in 8 documents; 1 of them left empty" in out
    assert "9  a.jsonl:0  All rights reserved" in out
    assert texts(folder / "out") == [
        OWN[0],
        *(page.replace("All  rights reserved\n", "") for page in OWN[1:]),
    ]
    assert pq.read_table(folder / "out/_gpucurate/cuts").num_rows == 8
    assert f"cuts       {folder}" in out
    assert "clusters" not in out


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        (["--min-length", "19"], PAGES[0], PAGES[7].replace("All  rights reserved\n", "")),
        ([], PAGES[0], PAGES[8]),
        (["--min-length", "19", "--no-normalize"], PAGES[0], PAGES[8]),
        (["--min-length", "19", "--min-count", "10"], PAGES[0], PAGES[8]),
        (["--min-length", "19", "--scope", "document"], PAGES[0], PAGES[8]),
        (["--min-length", "19", "--keep-empty"], PAGES[0], ""),
        (["--min-length", "19", "--keep", "none", "--keep-empty"], "Page 0 says this of its own\n\nok", ""),
    ],
)
def test_each_option_bites(options: list[str], first: str, last: str, folder: Path) -> None:
    assert dedup("lines", folder / "in", "-o", folder / "out", *options) == 0
    found = texts(folder / "out")
    assert (found[0], found[-1]) == (first, last)


def test_paragraphs_are_not_lines(folder: Path) -> None:
    assert dedup("paragraphs", folder / "in", "-o", folder / "out", "--min-length", "19") == 0
    assert texts(folder / "out") == [PAGES[0], *(page.split("\n\n")[0] for page in PAGES[1:8]), PAGES[8]]


def test_annotate_writes_everything_and_says_what_would_go(folder: Path) -> None:
    assert dedup("lines", folder / "in", "-o", folder / "out", "--min-length", "19", "--annotate") == 0
    records = [json.loads(line) for line in (folder / "out" / "a.jsonl").read_text().splitlines()]
    assert [record["text"] for record in records] == PAGES
    assert [record["_gpucurate_cuts"] for record in records] == [[], *([[[29, 50]]] * 7), [[0, 19]]]


def test_dry_run_says_what_would_be_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dedup("paragraphs", folder / "in", "-o", folder / "out", "--dry-run") == 0
    assert "grain='paragraph', min_length=20, normalized=True, scope='corpus'" in capsys.readouterr().out
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--text-field", "body"], 3, "no column 'body' in a.jsonl: it has 'text'"),
        (["--compression", "snappy"], 3, "jsonl is not written with compression 'snappy'"),
        (["--min-length", "0"], 2, "greater than or equal to 1"),
        (["--min-count", "1"], 2, "greater than or equal to 2"),
        (["--keep", "longest"], 2, "'longest' is not one of"),
        (["--clusters-only"], 2, "No such option"),
    ],
)
def test_what_cannot_be_done_is_said(
    options: list[str], code: int, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dedup("lines", folder / "in", "-o", folder / "out", *options) == code
    assert sentence in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize("options", [[], ["--format", "parquet", "--annotate"]], ids=str)
def test_bad_input_of_every_class_costs_itself_alone(options: list[str], folder: Path) -> None:
    expected = all_classes(folder)
    arguments = [folder / "in", "--max-reject-rate", "1", "--blocksize", "3MB", *options]
    arguments += ["--max-record-bytes", "1000000"]
    assert dedup("lines", *arguments, "-o", folder / "inline") == 0
    assert dedup("lines", *arguments, "-o", folder / "local", "--workers", "2") == 0
    books = report(folder / "inline")["books"]
    assert books["rejected"] == expected
    assert books["read"] == books["kept"] + sum(books["dropped"].values()) + sum(expected.values())
    assert sum(rows(folder / "inline" / name) for name in contents(folder / "inline")) == books["kept"]
    assert contents(folder / "inline") == contents(folder / "local")
    assert report(folder / "local")["books"] == books
