"""What is not a run's own is never removed, overwritten or given other permissions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gpucurate import InlineExecutor
from gpucurate.checkpoint.resume import Mode, Resume
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, StorageError
from gpucurate.workflows.exact import ExactDeduplicationWorkflow

MODES: tuple[Mode, ...] = ("auto", "changed", "fresh")

BEGINS = """
import sys
from pathlib import Path
from gpucurate.checkpoint.resume import Resume
from gpucurate.checkpoint.run_folder import RunFolder
out, state, mode = sys.argv[1:]
RunFolder(Path(out), "test", {}, Path(state), Resume(mode)).close()
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.jsonl").write_text(json.dumps({"text": f"page {number}"}) + "\n")
    return folder


def dedup(corpus: Path, output: Path, state: Path | None, mode: Mode = "auto") -> None:
    ExactDeduplicationWorkflow(corpus, output, checkpoint_path=state).run(InlineExecutor(), resume=mode)


def everything(folder: Path) -> dict[str, Any]:
    """Content and permissions of all that is there."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in [folder, *folder.rglob("*")]
    }


def project(folder: Path) -> Path:
    """A folder of somebody's, with names that a run has too."""
    for name in ("scratch/thesis.tex", "attempts/a", "src/main.c"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("precious")
    return folder


@pytest.mark.parametrize("mode", MODES)
def test_a_folder_of_other_things_is_no_place_for_state(corpus: Path, tmp_path: Path, mode: Mode) -> None:
    state = project(tmp_path / "project")
    before = everything(state)
    with pytest.raises(
        OutputInUseError, match=r"is not empty .it holds 'attempts'.*give a new or empty"
    ) as no:
        dedup(corpus, tmp_path / "out", state, mode)
    assert no.value.exit_code == 4
    assert everything(state) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", ["{}", "[1]", "{", '{"kind": "train", "decides": {}}', ""])
@pytest.mark.parametrize("mode", MODES)
def test_a_run_json_that_is_not_ours_shows_nothing(tmp_path: Path, content: str, mode: Mode) -> None:
    state = project(tmp_path / "project")
    (state / "run.json").write_text(content)
    before = everything(state)
    with pytest.raises(OutputInUseError, match=r"run\.json is none of gpucurate's, or damaged"):
        RunFolder(tmp_path / "out", "test", {}, state, Resume(mode))
    assert everything(state) == before


@pytest.mark.parametrize("name", ["lock", "epoch"])
def test_a_lock_of_somebody_else_is_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / name).write_text("precious")
    with pytest.raises(OutputInUseError, match=f"it holds '{name}'"):
        RunFolder(tmp_path / "out", "test", {}, tmp_path / "state")
    assert (tmp_path / "state" / name).read_text() == "precious"


def test_state_of_another_output_is_refused_and_fresh_leaves_both_outputs(
    corpus: Path, tmp_path: Path
) -> None:
    first, second, state = (tmp_path / name for name in ("first", "second", "state"))
    dedup(corpus, first, state)
    second.mkdir()
    (second / "0.jsonl").write_text("precious")
    before = everything(first), everything(second), everything(state)
    with pytest.raises(OutputInUseError, match=r"the state of a run to another output: .*/first' then"):
        dedup(corpus, second, state)
    with pytest.raises(OutputInUseError, match=r"second is not empty .it holds '0\.jsonl'"):
        dedup(corpus, second, state, "fresh")
    assert (everything(first), everything(second), everything(state)) == before
    (second / "0.jsonl").unlink()
    dedup(corpus, second, state, "fresh")
    assert everything(first) == before[0]
    assert sorted(path.name for path in second.iterdir()) == ["0.jsonl", "1.jsonl"]


def test_fresh_removes_what_the_run_wrote_and_nothing_beside_it(corpus: Path, tmp_path: Path) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    dedup(corpus, out, state)
    (out / "notes.txt").write_text("precious")
    (state / "notes.txt").write_text("precious")
    (corpus / "0.jsonl").rename(corpus / "2.jsonl")
    dedup(corpus, out, state, "fresh")
    assert sorted(path.name for path in out.iterdir()) == ["1.jsonl", "2.jsonl", "notes.txt"]
    assert (state / "notes.txt").read_text() == "precious"


def test_the_run_folder_of_one_output_says_nothing_of_another(corpus: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    dedup(corpus, first, None)
    second.mkdir()
    (second / "0.jsonl").write_text("precious")
    with pytest.raises(OutputInUseError, match="second is not empty"):
        dedup(corpus, second, first / "_gpucurate", "fresh")
    assert (second / "0.jsonl").read_text() == "precious"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("state", ["out", ".", "out/state", "link", "out/_gpucurate/state"])
def test_state_and_output_do_not_lie_in_each_other(tmp_path: Path, state: str, mode: Mode) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with pytest.raises(ConfigurationError, match="overlap: give a folder of its own"):
        RunFolder(tmp_path / "out", "test", {}, tmp_path / state, Resume(mode))
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_state_may_be_given_the_place_that_it_has_anyway(corpus: Path, tmp_path: Path) -> None:
    dedup(corpus, tmp_path / "out", tmp_path / "out" / "_gpucurate")
    dedup(corpus, tmp_path / "out", None, "fresh")


def test_a_new_an_empty_and_our_own_folder_go_on_working(corpus: Path, tmp_path: Path) -> None:
    state = tmp_path / "checkpoints" / "my-pipeline"
    dedup(corpus, tmp_path / "out", state)
    dedup(corpus, tmp_path / "out", state)
    dedup(corpus, tmp_path / "out", state, "fresh")
    (tmp_path / "empty").mkdir()
    dedup(corpus, tmp_path / "other", tmp_path / "empty")


@pytest.mark.parametrize(
    "point",
    [
        "lock.after_acquire", "lock.after_owner", "small.before_write", "small.before_rename",
        "attempts.before_remove",
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [1, 2])
def test_a_run_that_is_killed_before_it_has_said_what_it_is_goes_on(
    tmp_path: Path, point: str, number: int
) -> None:
    begin(tmp_path, "auto", f"{point}:{number}:{tmp_path / 'count'}")
    begin(tmp_path, "auto")


@pytest.mark.parametrize("point", ["wipe.before_outputs", "wipe.before_state", "wipe.before_identity"])
def test_a_removal_that_is_killed_leaves_what_is_still_known_for_a_runs(tmp_path: Path, point: str) -> None:
    begin(tmp_path, "auto")
    assert begin(tmp_path, "fresh", f"{point}:1:{tmp_path / 'count'}") == -signal.SIGKILL
    begin(tmp_path, "auto")


def begin(folder: Path, mode: Mode, crash: str | None = None) -> int:
    more = {} if crash is None else {"GPUCURATE_CRASH": crash}
    given = [sys.executable, "-c", BEGINS, str(folder / "out"), str(folder / "state"), mode]
    ended = subprocess.run(given, check=False, env={**os.environ, **more}, capture_output=True, text=True)
    assert ended.returncode in ((0,) if crash is None else (0, -signal.SIGKILL)), ended.stderr
    return ended.returncode


def test_a_lock_that_lost_its_content_with_the_power_is_still_ours(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "lock").write_bytes(b"\0" * 40)
    RunFolder(tmp_path / "out", "test", {}, state).close()
    (state / "run.json").unlink()
    (state / "commit.log").unlink()
    for folder in state.glob("attempts/*"):
        folder.rmdir()
    (state / "attempts").rmdir()
    (state / "lock").write_bytes(b"\x17garbage")
    RunFolder(tmp_path / "out", "test", {}, state).close()


def test_of_damaged_state_the_message_says_what_works(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dedup(corpus, out, None)
    (out / "_gpucurate" / "run.json").write_text('{"kind')
    with pytest.raises(StorageError, match="give --fresh to begin anew"):
        dedup(corpus, out, None)
    dedup(corpus, out, None, "fresh")
    (out / "_gpucurate" / "run.json").unlink()
    with pytest.raises(OutputInUseError, match=r"no run\.json that tells which .* a run wrote.: give a new"):
        dedup(corpus, out, None, "fresh")


@pytest.mark.parametrize("content", ['{"files":[{"name":1}]}', "[]", "7", "{", '{"files":7}'])
def test_a_manifest_of_another_shape_does_not_keep_fresh_from_its_work(
    corpus: Path, tmp_path: Path, content: str
) -> None:
    out = tmp_path / "out"
    dedup(corpus, out, None)
    (out / "_gpucurate" / "manifest.json").write_text(content)
    (corpus / "0.jsonl").rename(corpus / "2.jsonl")
    dedup(corpus, out, None, "fresh")
    assert sorted(path.name for path in out.glob("*.jsonl")) == ["1.jsonl", "2.jsonl"]
