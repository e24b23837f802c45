from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from gpucurate.checkpoint.lock import OwnerLock
from gpucurate.checkpoint.log import CommitLog
from gpucurate.checkpoint.resume import Resume
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, StorageError

OWNER = """
import sys, time
from pathlib import Path
from gpucurate.checkpoint.run_folder import RunFolder
folder = RunFolder(Path(sys.argv[1]), "test", {})
print(folder.epoch, flush=True)
time.sleep(60)
"""


@pytest.fixture
def owner(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path / "out")], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"1\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path, owner):
    with pytest.raises(OutputInUseError, match=f"process {owner.pid} on ") as refused:
        RunFolder(tmp_path / "out", "test", {})
    assert refused.value.exit_code == 4


def test_the_folder_is_free_once_its_owner_was_killed(tmp_path, owner):
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    with RunFolder(tmp_path / "out", "test", {}) as folder:
        assert folder.epoch == 2


def test_each_owner_has_the_next_epoch_and_clears_what_earlier_ones_left(tmp_path):
    for epoch in (1, 2, 3):
        with RunFolder(tmp_path, "test", {}) as folder:
            assert folder.epoch == epoch
            (folder.attempts / "half").write_text("x")
            assert [path.name for path in (folder.path / "attempts").iterdir()] == [str(epoch)]


def test_of_a_damaged_epoch_it_is_said_what_to_do_and_that_helps(tmp_path):
    (tmp_path / "epoch").write_text("x")
    with pytest.raises(StorageError, match=r"epoch is damaged: .*Remove that file"):
        OwnerLock(tmp_path)
    (tmp_path / "epoch").unlink()
    with OwnerLock(tmp_path) as owner:
        assert owner.epoch == 1


@pytest.mark.parametrize("record", [{"k": "done"}, {"k": "done", "phase": "p", "unit": "u", "files": [3]}])
def test_a_record_that_tells_of_no_unit_is_a_sentence_and_nothing_stays_open(tmp_path, record):
    RunFolder(tmp_path, "test", {}).close()
    log = CommitLog(tmp_path / "_gpucurate" / "commit.log")
    log.append(record)
    log.close()
    with pytest.raises(StorageError, match=r"commit log is damaged: .*Give --fresh"):
        RunFolder(tmp_path, "test", {})
    assert not [file for file in psutil.Process().open_files() if file.path.startswith(str(tmp_path))]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("behind")]
    RunFolder(tmp_path, "test", {}, resume=Resume("fresh")).close()


def test_a_run_that_is_refused_by_its_owner_leaves_no_thread(tmp_path):
    before = threading.active_count()
    with RunFolder(tmp_path, "test", {}) as folder:
        folder.store.settle()
        held = threading.active_count()
        with pytest.raises(OutputInUseError, match="being written to"):
            RunFolder(tmp_path, "test", {})
        assert threading.active_count() == held
    assert threading.active_count() == before


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    (tmp_path / "b").write_text("")
    with pytest.raises(OutputInUseError, match=r"not empty .it holds .* and 1 more") as refused:
        RunFolder(tmp_path, "test", {})
    assert refused.value.exit_code == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "thesis.tex"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        RunFolder(tmp_path / "out", "test", {})


def test_another_run_is_refused_with_what_differs(tmp_path):
    RunFolder(tmp_path, "test", {"a": {"b": 1}, "same": 1}).close()
    with pytest.raises(OutputInUseError, match=r"decides\.a\.b: 1 then, 2 now"):
        RunFolder(tmp_path, "test", {"a": {"b": 2}, "same": 1})
    with pytest.raises(OutputInUseError, match='kind: "test" then, "other" now'):
        RunFolder(tmp_path, "other", {"a": {"b": 1}, "same": 1})
    RunFolder(tmp_path, "test", {"a": {"b": 1}, "same": 1}).close()


def test_a_refused_run_does_not_keep_the_folder(tmp_path):
    RunFolder(tmp_path, "test", {}).close()
    with pytest.raises(OutputInUseError):
        RunFolder(tmp_path, "other", {})
    RunFolder(tmp_path, "test", {}).close()


def test_damaged_state_is_a_sentence(tmp_path):
    RunFolder(tmp_path, "test", {}).close()
    (tmp_path / "_gpucurate" / "run.json").write_text("{")
    with pytest.raises(StorageError, match=r"run\.json is damaged"):
        RunFolder(tmp_path, "test", {})


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Not a directory"):
        RunFolder(tmp_path / "file" / "out", "test", {})


def test_the_end_is_marked_and_what_only_the_run_needed_goes(tmp_path):
    with RunFolder(tmp_path, "test", {}) as folder:
        (folder.path / "scratch").mkdir()
        folder.write_json("report.json", {"a": 1})
        assert not folder.is_finished
        folder.finish()
        assert folder.is_finished
        assert not (folder.path / "scratch").exists()
        assert json.loads((folder.path / "report.json").read_text()) == {"a": 1}
        folder.reopen()
        assert not folder.is_finished


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "_gpucurate/../../x"])
def test_no_output_name_leaves_the_folder(tmp_path, name):
    with RunFolder(tmp_path, "test", {}) as folder, pytest.raises(StorageError, match="outside"):
        folder.final_path(name)


def test_files_that_a_killed_writer_left_are_removed(tmp_path):
    plan = {"fingerprint": "f", "decides": {}, "units": 1, "bytes": 1}
    with RunFolder(tmp_path, "test", {}) as folder:
        left = [folder.path / ".report.json.123.tmp", folder.path / "phases" / ".keys.json.7.tmp"]
        folder.write_json("phases/keys.json", plan)
        for path in left:
            path.write_text("half")
    with RunFolder(tmp_path, "test", {}) as folder:
        folder.store.settle()
        assert not any(path.exists() for path in left)
        assert folder.read_json("phases/keys.json") == plan
