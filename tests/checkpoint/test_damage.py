"""Whatever of a finished run is damaged or gone is found, and what ``verify`` says to do mends it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gpucurate import InlineExecutor
from gpucurate.checkpoint.run_view import view_run
from gpucurate.checkpoint.verify import verify
from gpucurate.cli.app import run as command
from gpucurate.workflows.exact import ExactDeduplicationWorkflow


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        lines = [json.dumps({"text": f"page {(number + at) % 9}"}) for at in range(12)]
        (folder / f"{number}.jsonl").write_text("\n".join(["{broken", *lines]) + "\n")
    return folder


@pytest.fixture
def output(corpus: Path, tmp_path: Path) -> Path:
    rerun(corpus, tmp_path / "out")
    return tmp_path / "out"


def rerun(corpus: Path, output: Path) -> bool:
    """Give the command of the run; whether there was nothing left to do."""
    workflow = ExactDeduplicationWorkflow(corpus, output, input_blocksize=200, max_reject_rate=0.5)
    return workflow.run(InlineExecutor()).was_finished


def found(output: Path) -> tuple[int, list[str]]:
    verified = verify(view_run(output))
    return verified.exit_code, [f"{each.name}: {each.what}" for each in verified.findings]


def one(output: Path, pattern: str) -> Path:
    return min(path for path in output.glob(pattern) if path.stat().st_size > 10)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    os.truncate(path, 30)


def test_a_listing_that_is_cut_is_damaged_and_hides_no_change_of_the_input(
    output: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = one(output, "_gpucurate/listing-*")
    cut(listing)
    (corpus / "1.jsonl").open("a").write("{}\n")
    assert command(["verify", str(output)]) == 6
    assert "its 0 lines are not those that were written" in capsys.readouterr().out


@pytest.mark.parametrize("harm", [cut, flip, Path.unlink])
def test_a_listing_is_written_again_by_the_command_of_the_run(
    output: Path, corpus: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None]
) -> None:
    listing = one(output, "_gpucurate/listing-*")
    before = listing.read_bytes()
    harm(listing)
    assert command(["verify", str(output)]) == 6
    assert "given again, writes that file anew" in capsys.readouterr().out
    listing.unlink(missing_ok=True)
    assert rerun(corpus, output), "only the listing is written"
    assert listing.read_bytes() == before
    assert found(output) == (0, [])
