"""What a run writes beside its output is its owner's alone, and nothing has a name that can be foreseen."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gpucurate.backends import session as sessions
from gpucurate.checkpoint.run_folder import RunFolder

pytestmark = pytest.mark.timeout(900)  # the first one waits for the runs of all kinds


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.lstat().st_mode))


def test_run_folders_are_0700_and_their_files_0600(runs):
    assert len(runs.run_folders()) > 7
    for folder in runs.run_folders():
        assert mode(folder) == "0o700", folder
    loose = {path for path in runs.files() if mode(path) != "0o600" and "attempts" not in path.parts}
    assert not loose
    # Attempts become outputs, so they follow the umask; nobody else can get to them.


def test_outputs_and_indexes_follow_the_umask(runs):
    for folder in ("exact", "removed", "index"):
        files = [path for path in (runs.folder / folder).iterdir() if path.is_file()]
        assert files
        assert {mode(path) for path in files} == {"0o644"}, folder


def test_a_run_folder_in_the_output_that_is_there_already_becomes_its_owners_alone(tmp_path):
    state = tmp_path / "out" / "_gpucurate"
    state.mkdir(parents=True)
    state.chmod(0o777)
    RunFolder(tmp_path / "out", "test", {}).close()
    assert mode(state) == "0o700"


def test_a_folder_for_state_is_made_for_its_owner_alone_and_one_that_was_there_stays_as_it_is(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there").chmod(0o755)
    for name in ("there", "new"):
        RunFolder(tmp_path / f"{name}-out", "test", {}, tmp_path / name).close()
    assert (mode(tmp_path / "there"), mode(tmp_path / "new")) == ("0o755", "0o700")
    assert {mode(path) for path in (tmp_path / "there").iterdir() if path.is_file()} == {"0o600"}


def test_working_folders_are_the_users_alone_and_no_two_have_the_same_name(tmp_path):
    first, second = sessions.Session(tmp_path), sessions.Session(tmp_path)
    assert mode(first.path) == mode(second.path) == "0o700"
    assert first.path.name[:-8] == second.path.name[:-8]  # user and process
    assert first.path.name[-8:] != second.path.name[-8:]
    first.close()
    second.close()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_run_leaves_in_shared_memory_goes_with_the_next(tmp_path):
    code = (
        "import os, pathlib, sys, signal; from gpucurate.backends.session import Session; "
        "s = Session(pathlib.Path(sys.argv[1])); (s.path / 'x').write_text('y'); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    assert mode(left) == "0o700"
    sessions.Session(tmp_path).close()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_another_user_can_read_nothing_of_a_run_folder(runs, tmp_path):
    folder = runs.run_folders()[0]
    code = "import os, sys; os.setuid(65534); os.listdir(sys.argv[1])"
    done = subprocess.run([sys.executable, "-S", "-c", code, str(folder)], capture_output=True, check=False)
    assert b"PermissionError" in done.stderr
