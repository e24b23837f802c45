"""Whatever of a finished run is damaged or gone is found, and what ``verify`` says to do mends it."""

from __future__ import annotations

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


RELIED_ON = (
    "*.jsonl",
    "_gpucurate/clusters/*",
    "_gpucurate/rejects/*",
    "_gpucurate/phases/keys.json",
    "_gpucurate/phases/write.json",
    "_gpucurate/report.json",
    "_gpucurate/manifest.json",
    "_gpucurate/commit.log",
    "_gpucurate/_SUCCESS",
)


@pytest.mark.parametrize("harm", [cut, Path.unlink])
@pytest.mark.parametrize("pattern", RELIED_ON)
def test_what_is_gone_or_cut_is_found_and_made_anew_by_the_command_of_the_run(
    output: Path, corpus: Path, pattern: str, harm: Callable[[Path], None]
) -> None:
    before = {path.name: path.read_bytes() for path in output.glob("*.jsonl")}
    path = one(output, pattern)
    harm(path)
    if path.name != "_SUCCESS" or path.exists():  # without it the run is one that goes on
        assert command(["verify", str(output)]) in (6, 70)
    assert not rerun(corpus, output)
    assert found(output) == (0, [])
    assert rerun(corpus, output)
    assert {path.name: path.read_bytes() for path in output.glob("*.jsonl")} == before


@pytest.mark.parametrize("pattern", RELIED_ON[:-2])
def test_what_is_garbled_is_found_and_made_anew_once_it_is_removed(
    output: Path, corpus: Path, pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = one(output, pattern)
    flip(path)
    assert command(["verify", str(output)]) in (6, 70)
    told = capsys.readouterr()
    assert "emove it, and give the command of the run again" in told.out + told.err
    path.unlink()
    assert not rerun(corpus, output)
    assert found(output) == (0, [])


def test_a_log_without_its_last_records_is_found(output: Path, corpus: Path) -> None:
    log = output / "_gpucurate" / "commit.log"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-2]))
    assert found(output)[0] in (6, 70)
    assert not rerun(corpus, output)
    assert found(output) == (0, [])


def test_a_run_of_before_there_was_a_list_of_its_files_is_verified_and_mended(
    output: Path, corpus: Path
) -> None:
    state = output / "_gpucurate"
    (state / "_SUCCESS").write_bytes(b"")
    assert found(output) == (0, [])
    assert rerun(corpus, output)
    (state / "_SUCCESS").write_bytes(b"")
    for name in ("report.json", "phases/write.json", "manifest.json"):
        (state / name).unlink()
        assert any("Give the command of the run again" in each for each in found(output)[1])
        assert not rerun(corpus, output)
        assert found(output) == (0, [])
        (state / "_SUCCESS").write_bytes(b"")


def test_another_input_is_no_file_that_changed_while_it_was_read(output: Path, corpus: Path) -> None:
    (corpus / "1.jsonl").open("a").write("{}\n")
    (corpus / "2.jsonl").unlink()
    code, told = found(output)
    assert code == 5
    assert "1.jsonl: it is not what the run read: it was listed with" in told[0]
    assert "2.jsonl: it vanished" in told[1]
    assert all("give the command of the run with --resume-changed" in each for each in told)
    ExactDeduplicationWorkflow(corpus, output, input_blocksize=200, max_reject_rate=0.5).run(
        InlineExecutor(), resume="changed"
    )
    assert found(output) == (0, [])
