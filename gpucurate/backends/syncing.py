"""Syncing the files of units while the worker goes on: file systems sync many at once in the time of one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from os import PathLike
from typing import TypeAlias

from gpucurate.disk.crash import reach
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import GpucurateError
from gpucurate.spec.unit import OutputFile, UnitResult
from gpucurate.tasks.finished import Finished, sync_now

SYNC_THREADS = 16
"""Files that one worker has synced, or uploaded, at a time: ext4 puts those that wait into one commit of its
journal."""

MOST_FILES, MOST_BYTES = 64, 64 * MIB
"""What may wait for the disk; beyond that the worker waits too. One larger file is let through alone."""

QUICK_SECONDS = 0.0005
"""A file that is synced in less is not worth a thread."""

LOOK_EVERY, LOOK_AT = 128, 8
"""Of so many files that one is synced at once, to see how long it takes: of a few files, none."""


Bring: TypeAlias = Callable[[OutputFile], OutputFile]
"""Brings an attempt into a store."""


class Syncer:
    """Syncs files of one unit or several in threads, which are started as they are needed."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(SYNC_THREADS, "sync")
        self._room = threading.Condition()
        self._files = self._bytes = self._count = 0
        self._is_quick = False

    def submit(self, file: Finished, path: PathLike[str]) -> Future[None] | None:
        """Have a file synced and closed; waits while too much waits for the disk.

        Where syncing takes next to no time, as in memory, it is done at once: every now and then a file is
        synced so to find out, but not the first ones, which may be all.

        Returns:
            What tells how it went; None if it went well already.

        Raises:
            StorageError: it was done at once, and failed.
        """
        self._count += 1
        if self._is_quick or self._count % LOOK_EVERY == LOOK_AT:
            began = time.perf_counter()
            sync_now(file, path)
            self._is_quick = time.perf_counter() - began < QUICK_SECONDS
            return None
        size = os.fstat(file.fileno()).st_size
        self._enter(size)
        return self._pool.submit(self._sync, file, path, size)

    def upload(self, output: OutputFile, bring: Bring) -> Future[OutputFile]:
        """Have an attempt brought into a store; waits while too much is on its way."""
        self._enter(output.bytes)
        return self._pool.submit(self._upload, output, bring)

    def _upload(self, output: OutputFile, bring: Bring) -> OutputFile:
        try:
            return bring(output)
        finally:
            self._leave(output.bytes)

    def _sync(self, file: Finished, path: PathLike[str], size: int) -> None:
        try:
            sync_now(file, path)
        finally:
            self._leave(size)

    def _enter(self, size: int) -> None:
        with self._room:
            while self._files and (self._files >= MOST_FILES or self._bytes + size > MOST_BYTES):
                self._room.wait()
            self._files += 1
            self._bytes += size

    def _leave(self, size: int) -> None:
        with self._room:
            self._files -= 1
            self._bytes -= size
            self._room.notify()

    def close(self) -> None:
        """Wait for what is under way, and end the threads."""
        self._pool.shutdown()


class UnitFiles:
    """The files of one attempt at a unit, on their way to the disk.

    Args:
        syncer: of the worker.
    """

    def __init__(self, syncer: Syncer) -> None:
        self._syncer = syncer
        self._syncs: list[Future[None]] = []
        self._uploads: list[Future[OutputFile]] = []

    def sync(self, file: Finished, path: PathLike[str]) -> None:
        """Take a finished file over."""
        sync = self._syncer.submit(file, path)
        if sync is not None:
            self._syncs.append(sync)

    def upload(self, outputs: Sequence[OutputFile], bring: Bring) -> None:
        """Bring the unit's files into a store: all of them are written to their end."""
        self._uploads = [self._syncer.upload(output, bring) for output in outputs]

    def are_settled(self) -> bool:
        """Whether there is nothing to wait for."""
        return all(sync.done() for sync in self._syncs) and all(each.done() for each in self._uploads)

    def settle(self) -> None:
        """Wait until each of them is synced, and brought where it is to go, or could not be."""
        for sync in self._syncs:
            sync.exception()
        for upload in self._uploads:
            upload.exception()

    def wait(self) -> list[OutputFile]:
        """Wait until all of them are on disk, or in a store; what is to be told of the latter.

        Raises:
            StorageError: one could not be synced, or brought there.
        """
        self.settle()
        for sync in self._syncs:
            sync.result()
        return [upload.result() for upload in self._uploads]

    def brought(self) -> list[OutputFile]:
        """What is in a store, though other files of the unit may not have come that far."""
        return [upload.result() for upload in self._uploads if upload.exception() is None]


class Unsynced:
    """What was made of a unit; it counts once :meth:`wait` has returned.

    Args:
        result: of the unit.
        files: that it wrote.
        undo: removes them.
    """

    def __init__(self, result: UnitResult, files: UnitFiles, undo: Callable[[], None]) -> None:
        self.result = result
        self._files = files
        self._undo = undo

    def is_settled(self) -> bool:
        """Whether :meth:`wait` returns, or raises, at once."""
        return self._files.are_settled()

    def settle(self) -> None:
        """Wait until the disk has said yes or no."""
        self._files.settle()

    def wait(self) -> UnitResult:
        """The result, once all files are on disk.

        Raises:
            StorageError: one could not be synced; nothing of the unit is left on disk.
        """
        try:
            brought = self._files.wait()
        except GpucurateError:
            self._undo()
            raise
        if brought:
            self.result.outputs = brought
        reach("unit.after_sync")
        return self.result
