"""Files written in blocks: the same bytes whatever the sizes of writes, and what a file system refuses."""

import errno
import os
import resource
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.io import block_file, write_back
from gpucurate.io.block_file import BLOCK_BYTES, BlockFile

SIZES = st.one_of(st.integers(0, 5), st.integers(0, 9_000), st.sampled_from([4095, 4096, 8192, 12_288]))


def written(path, blocks):
    file = BlockFile(path)
    for block in blocks:
        file.write(memoryview(block))
    file.sync()
    return path.read_bytes()


def pattern(size, seed=0):
    return (bytes(range(seed % 7, 251)) * (size // 244 + 1))[:size]


def no_direct_writes(monkeypatch):
    """A file system that takes the flag and refuses every write with it, as some do."""
    real = os.pwrite

    def pwrite(descriptor, data, offset):
        if block_file.fcntl.fcntl(descriptor, block_file.fcntl.F_GETFL) & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real(descriptor, data, offset)

    monkeypatch.setattr(block_file.os, "pwrite", pwrite)


@given(st.lists(SIZES, max_size=30))
def test_any_sizes_of_writes_give_the_same_bytes(tmp_path_factory, sizes):
    blocks = [pattern(size, i) for i, size in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_file, "BLOCK_BYTES", 4096)
        patch.setattr(block_file, "_spare", [])
        assert written(tmp_path_factory.mktemp("files") / "file", blocks) == b"".join(blocks)


def test_whole_blocks_and_a_rest(tmp_path):
    blocks = [pattern(3 * BLOCK_BYTES + 17), b"x", pattern(BLOCK_BYTES - 18), b"end"]
    assert written(tmp_path / "file", blocks) == b"".join(blocks)


def test_a_longer_file_is_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"older and longer")
    assert written(tmp_path / "file", [b"new"]) == b"new"


def test_where_direct_writes_are_refused_the_file_is_the_same(tmp_path, monkeypatch):
    no_direct_writes(monkeypatch)
    blocks = [pattern(2 * BLOCK_BYTES), b"end"]
    assert written(tmp_path / "file", blocks) == b"".join(blocks)


def test_where_direct_writes_are_refused_the_disk_is_told_early_what_to_write(tmp_path, monkeypatch):
    told = []
    no_direct_writes(monkeypatch)
    monkeypatch.setattr(block_file, "begin_write_back", lambda _, offset, count: told.append((offset, count)))
    written(tmp_path / "file", [pattern(2 * BLOCK_BYTES + 1)])
    assert told == [(0, BLOCK_BYTES), (BLOCK_BYTES, BLOCK_BYTES)]


def test_a_system_without_early_write_back_writes_all_the_same(tmp_path, monkeypatch):
    no_direct_writes(monkeypatch)
    monkeypatch.setattr(write_back, "_sync_file_range", lambda: None)
    data = pattern(2 * BLOCK_BYTES)
    assert written(tmp_path / "file", [data]) == data


def test_half_a_direct_write_is_continued(tmp_path, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(block_file.os, "pwrite", lambda d, data, at: real(d, data[:5_000], at))
    data = pattern(BLOCK_BYTES + 3)
    assert written(tmp_path / "file", [data]) == data


def test_a_small_file_needs_no_thread(tmp_path):
    before = threading.active_count()
    file = BlockFile(tmp_path / "file")
    file.write(memoryview(b"small"))
    assert threading.active_count() == before
    file.sync()


def test_threads_and_descriptors_end_with_the_file(tmp_path):
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for name in ("a", "b", "c"):
        file = BlockFile(tmp_path / name)
        file.write(memoryview(pattern(2 * BLOCK_BYTES)))
        file.close()
        file.close()
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_an_error_in_the_background_is_raised_by_the_next_calls(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    file = BlockFile(tmp_path / "file")
    resource.setrlimit(resource.RLIMIT_FSIZE, (BLOCK_BYTES // 2, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            for _ in range(4):
                file.write(memoryview(pattern(BLOCK_BYTES)))
        with pytest.raises(OSError, match="File too large"):
            file.sync()
        file.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        BlockFile(tmp_path / "missing" / "file")


def test_the_memory_of_a_block_serves_the_next_file(tmp_path):
    written(tmp_path / "a", [pattern(3 * BLOCK_BYTES)])
    kept = [id(block) for block in block_file._spare]
    written(tmp_path / "b", [b"never seen in this file before"])
    assert [id(block) for block in block_file._spare] == kept
    assert (tmp_path / "b").read_bytes() == b"never seen in this file before"


def test_forked_processes_do_not_write_into_each_others_blocks(tmp_path):
    ours = BlockFile(tmp_path / "ours")
    ours.write(memoryview(b"ours"))
    process = os.fork()
    if not process:
        ours._block[:6] = b"theirs"  # as any later file of theirs would, once the block is a spare one
        os._exit(0)
    os.waitpid(process, 0)
    ours.write(memoryview(b" too"))
    ours.sync()
    assert (tmp_path / "ours").read_bytes() == b"ours too"
