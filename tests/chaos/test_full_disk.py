"""Disks that are full: a sentence, and the same command goes on when there is room."""

from __future__ import annotations

import subprocess

import pytest

from tests.backends.corpus import outputs, write_corpus
from tests.chaos.crowd import clean
from tests.chaos.stages import Sieve, Sieve2

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def large(tmp_path):
    """2 MB, of which two thirds are kept."""
    return write_corpus(tmp_path / "in", files=10, rows=200, size=1000)


def make_room(disk):
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)


def check_goes_on(process, wanted, output):
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    files, calm = wanted
    assert outputs(output) == files
    assert said.startswith(f"{calm.report.books.to_dict()} 0 ")


def test_a_full_output_is_a_sentence_and_the_run_goes_on_when_there_is_room(
    tmp_path, large, small_disk, start
):
    wanted = clean(large, tmp_path / "clean", Sieve(3), Sieve2(5))
    process = start(large, small_disk / "out", 0.0, fuse=False)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 6, said
    assert said.startswith("StorageError ")
    assert "No space left on device" in said
    assert not (small_disk / "out" / "_gpucurate" / "_SUCCESS").exists()
    make_room(small_disk)
    check_goes_on(start(large, small_disk / "out", 0.0, fuse=False), wanted, small_disk / "out")


def test_a_full_scratch_disk_is_a_sentence_and_the_run_goes_on_when_there_is_room(
    tmp_path, large, small_disk, start
):
    wanted = clean(large, tmp_path / "clean", Sieve(3), Sieve2(5))
    batch = {"fuse": False, "execution_mode": "batch"}
    process = start(large, tmp_path / "out", 0.0, tmp=small_disk, **batch)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 6, said
    assert said.startswith("StorageError ")
    assert str(small_disk) in said
    assert "No space left on device" in said
    assert not list(small_disk.glob("gpucurate-*")), "what it had written is gone"
    make_room(small_disk)
    check_goes_on(start(large, tmp_path / "out", 0.0, tmp=small_disk, **batch), wanted, tmp_path / "out")
