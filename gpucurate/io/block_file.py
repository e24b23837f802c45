"""A file written from start to end past the page cache, while the next block is filled."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from gpucurate.disk.crash import reach
from gpucurate.io.write_back import begin_write_back
from gpucurate.spec.bytesize import MIB

BLOCK_BYTES = 4 * MIB
"""Bytes of a write; direct writes must begin and end on multiples of the disk's sector (512 or 4,096)."""

_IN_FLIGHT = 2
_KEPT = 4
_REFUSED = (errno.EINVAL, errno.EOPNOTSUPP)
_OF_ITS_OWN = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS  # by default a block would be shared with forked workers
_spare: list[mmap.mmap] = []


class BlockFile:
    """Appends bytes in blocks that a thread of its own writes; nothing is on disk before :meth:`sync`.

    What a run writes it does not read again soon. Direct writes (``O_DIRECT``) leave the page cache to
    the input, spare a copy and the pages for it, and leave ``fsync`` little to wait for. Where a file
    system refuses them, and for what follows the last whole block, writes are ordinary ones.

    A file of less than a block costs one write and no thread.

    Args:
        path: one that is there is replaced.

    Raises:
        OSError: it cannot be opened. Errors of writes in the background are raised by the next call.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        self._block = _take()
        self._filled = self._position = 0
        self._writer: ThreadPoolExecutor | None = None
        self._writing: list[tuple[Future[None], mmap.mmap]] = []
        self._direct = self._is_finished = False
        reach("output.after_open")

    def write(self, data: memoryview) -> None:
        """Append bytes."""
        done = 0
        while done < len(data):
            count = min(len(data) - done, BLOCK_BYTES - self._filled)
            self._block[self._filled : self._filled + count] = data[done : done + count]
            self._filled += count
            done += count
            if self._filled == BLOCK_BYTES:
                self._hand_over()

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def finish(self) -> None:
        """Write what is held back, and give the memory for blocks back; to sync and to close is left."""
        self._wait_for(0)
        self._set_direct(False)
        reach("output.before_last_write")
        self._put(memoryview(self._block)[: self._filled], self._position)
        reach("output.after_last_write")
        self._give_block()

    def sync(self) -> None:
        """Write what is held back, fsync and close."""
        self.finish()
        os.fsync(self._descriptor)
        self.close()

    def close(self) -> None:
        """Close without a promise that anything is on disk; once is enough."""
        if self._descriptor < 0:
            return
        if self._writer is not None:
            self._writer.shutdown(wait=True)
        for _, block in self._writing:
            _give(block)
        self._writing.clear()
        self._give_block()
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def _give_block(self) -> None:
        """Let the next file have the block, once."""
        if not self._is_finished:
            self._is_finished = True
            _give(self._block)

    def _hand_over(self) -> None:
        """Have the full block written, and go on with another one."""
        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, "write")
            self._set_direct(True)
        self._wait_for(_IN_FLIGHT - 1)
        self._writing.append((self._writer.submit(self._put_block, self._block, self._position), self._block))
        self._position += BLOCK_BYTES
        self._block, self._filled = _take(), 0

    def _wait_for(self, left: int) -> None:
        """Until no more than ``left`` blocks are being written."""
        while len(self._writing) > left:
            future, block = self._writing[0]
            future.result()
            del self._writing[0]
            _give(block)

    def _put_block(self, block: mmap.mmap, offset: int) -> None:
        reach("output.before_block")
        self._put(memoryview(block), offset)
        if not self._direct:
            begin_write_back(self._descriptor, offset, BLOCK_BYTES)

    def _put(self, data: memoryview, offset: int) -> None:
        while len(data):
            try:
                count = os.pwrite(self._descriptor, data, offset)
            except OSError as error:
                if not self._direct or error.errno not in _REFUSED:
                    raise
                self._set_direct(False)  # found out by the first write, or after half a block
                continue
            data, offset = data[count:], offset + count

    def _set_direct(self, wanted: bool) -> None:
        """Switch ``O_DIRECT`` on or off; a file system without it stays as it is."""
        if wanted == self._direct or not hasattr(os, "O_DIRECT"):
            return
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        wished = flags | os.O_DIRECT if wanted else flags & ~os.O_DIRECT
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, wished)
        except OSError as error:
            if not wanted or error.errno not in _REFUSED:
                raise
            return
        self._direct = wanted


def _take() -> mmap.mmap:
    """Memory of a block, aligned to a page."""
    return _spare.pop() if _spare else mmap.mmap(-1, BLOCK_BYTES, _OF_ITS_OWN)


def _give(block: mmap.mmap) -> None:
    """Keep memory for the next block: fresh pages cost more than the copy into them."""
    if len(_spare) < _KEPT:
        _spare.append(block)
