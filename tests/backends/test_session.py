"""Folders for what crosses between processes: each is its owner's, and goes after it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gpucurate.backends import session
from gpucurate.backends.session import Session


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "SHARED", tmp_path / "shared")
    monkeypatch.setattr(session.tempfile, "gettempdir", lambda: str(tmp_path / "disk"))
    (tmp_path / "shared").mkdir()
    (tmp_path / "disk").mkdir()
    return tmp_path


def test_a_folder_goes_with_its_session_and_not_before(root):
    first, second = Session(root / "shared"), Session(root / "shared")
    (first.path / "file").write_text("")
    assert second.path.is_dir()
    assert (first.path / "file").exists(), "in use, by this very process"
    first.close()
    second.close()
    assert os.listdir(root / "shared") == []


def test_what_a_killed_process_left_goes_with_the_next_session_wherever_that_is(root):
    code = (
        "import os, sys; from pathlib import Path; from gpucurate.backends.session import Session; "
        "s = Session(Path(sys.argv[1])); (s.path / 'file').write_text('x'); print(s.path, flush=True); "
        "sys.stdin.read(); os.kill(os.getpid(), 9)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(root / "disk")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    there = process.stdout.readline().strip()
    Session(root / "shared").close()
    assert os.listdir(there) == ["file"], "its owner lives"
    process.communicate()
    Session(root / "shared").close()
    assert os.listdir(root / "disk") == []


def test_folders_of_others_are_left_alone(root):
    (root / "shared" / f"gpucurate-{os.getuid() + 1}-5-abc").mkdir()
    (root / "shared" / "something").mkdir()
    Session(root / "shared").close()
    assert len(os.listdir(root / "shared")) == 2
