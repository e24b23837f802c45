"""Rules of the sketch, chosen on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calling import call


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder in which it is run, with a folder ``data``."""
    (tmp_path / "data").mkdir()
    texts = [" ".join(f"{i * j * 7919 + j:x}" for j in range(1, 20)) for i in range(1, 21)]
    (tmp_path / "data" / "a.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts * 2))
    return tmp_path


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ([], "affine32"),
        (["--sketch", "fss"], "fss"),
        (["--compat", "nemo"], "nvtext32"),
        (["--preset", "nemo"], "nvtext32"),
        (["--preset", "nemo", "--use-64-bit-hash"], "nvtext64"),
    ],
)
def test_the_plan_tells_which_rule_is_taken(data: Path, options: list[str], rule: str) -> None:
    code, out, err = call("dedup", "fuzzy", "data", "-o", "out", "--dry-run", *options, cwd=data)
    assert (code, err) == (0, "")
    assert rule in out


@pytest.mark.parametrize(
    "options",
    [
        ["--compat", "nemo", "--sketch", "fss"],
        ["--compat", "nemo", "--normalize"],
        ["--use-64-bit-hash"],
    ],
)
def test_rules_that_contradict_each_other_are_refused(data: Path, options: list[str]) -> None:
    code, _, err = call("dedup", "fuzzy", "data", "-o", "out", *options, cwd=data)
    assert code == 3
    assert "nemo" in err
    assert not (data / "out").exists()


def test_a_run_with_fast_similarity_sketching_finds_equal_documents(data: Path) -> None:
    code, out, _ = call("dedup", "fuzzy", "data", "-o", "out", "--sketch", "fss", cwd=data)
    assert code == 0
    assert "40 read" in out
    assert "20 of 40 documents" in out
