"""Options of similarity on the command line, and what is printed of them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.cli.calling import call
from tests.workflows.conftest import edited, page


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    rng = random.Random(2)
    texts = []
    for _ in range(40):
        text = page(rng, 60)
        texts += [text, edited(text, rng, 3), edited(text, rng, 12)]
    (tmp_path / "pages.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return tmp_path


def test_a_threshold_is_told_as_the_s_curve_that_it_chooses(pages: Path) -> None:
    code, out, _ = call(
        "dedup", "fuzzy", "pages.jsonl", "-o", "out", "--threshold", "0.8", "--dry-run", cwd=pages
    )
    assert code == 0
    assert "9 of 13 rows for a threshold of 0.8" in out
    assert "0.80   0.3988" in out
    assert "areas: 0.0253 found below the threshold, 0.0333 missed above it" in out
    code, out, _ = call("dedup", "fuzzy", "pages.jsonl", "-o", "out", "--threshold", "0.8", cwd=pages)
    assert code == 0
    assert "9 of 13 rows for a threshold of 0.8" in out
    report = json.loads((pages / "out" / "_gpucurate" / "report.json").read_bytes())
    assert (report["banding"]["bands"], report["banding"]["rows"]) == (9, 13)
    assert report["banding"]["found"][6] == [0.8, 0.398844]
    _, out, _ = call(
        *(
            "dedup",
            "fuzzy",
            "pages.jsonl",
            "-o",
            "x",
            "--threshold",
            "0.8",
            "--permutations",
            "64",
            "--dry-run",
        ),
        cwd=pages,
    )
    assert "5 of 11 rows for a threshold of 0.8" in out


def test_verification_is_told_in_the_summary(pages: Path) -> None:
    arguments = ["dedup", "fuzzy", "pages.jsonl", "-o", "out", "--threshold", "0.75", "--verify", "exact"]
    code, out, _ = call(*arguments, "--linkage", "survivor", cwd=pages)
    assert code == 0
    figures = json.loads((pages / "out" / "_gpucurate" / "report.json").read_bytes())["verification"]
    assert f"{figures['compared']} compared, {figures['accepted']} accepted" in out
    assert "at 0.75, by their shingles" in out
    assert figures["linkage"] == "survivor"
    assert figures["rejected"] > 0
    code, again, _ = call(*arguments, "--linkage", "survivor", cwd=pages)
    assert code == 0
    assert "by their shingles" in again  # of a run that had finished, too


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--verify", "exact"], "needs a threshold of similarity"),
        (["--threshold", "1.5"], "give a number above 0 and at most 1"),
        (["--linkage", "survivor"], "compares documents with the survivor"),
        (["--threshold", "0.8", "--rows", "4"], "chooses bands and rows, but they are given"),
        (["--permutations", "64"], "shared out where a threshold chooses"),
    ],
)
def test_options_that_contradict_each_other_are_sentences(
    arguments: list[str], sentence: str, pages: Path
) -> None:
    code, _, err = call("dedup", "fuzzy", "pages.jsonl", "-o", "out", *arguments, cwd=pages)
    assert (code, sentence in err) == (3, True), err
    assert not (pages / "out").exists()
