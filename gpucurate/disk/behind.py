"""What has to be on the disk before something else is, done while its owner goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeAlias

from gpucurate.disk.files import fsync_folder
from gpucurate.spec.storage import storage_errors

Later: TypeAlias = Callable[[Callable[[], None]], None]
"""Sees to it that something is done: at once, or by the time that something relies on it."""


def do_now(call: Callable[[], None]) -> None:
    """At once."""
    call()


class Behind:
    """Carries out file operations in one thread, in the order in which they were given.

    Their owner goes on at once, and waits with :meth:`settle` before it does anything that relies on them: so
    the order on the disk is that of a program that waits for each, and waiting costs only what is not over by
    then. Once an operation has failed none after it is begun, and every :meth:`settle` raises what it raised.

    A kill takes what was not carried out, which is as if it had come earlier.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None

    def later(self, call: Callable[[], None]) -> None:
        """Have something done after all that was given before."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "behind")
        self._last = self._pool.submit(_after, self._last, call)

    def sync_folder(self, folder: Path) -> None:
        """Have the names in a folder made durable."""
        self.later(partial(_sync_folder, folder))

    def settle(self) -> None:
        """Wait until all of it is done.

        Raises:
            StorageError: something could not be.
        """
        if self._last is not None:
            self._last.result()

    def close(self) -> None:
        """Wait, whatever comes of it, and end the thread."""
        if self._pool is not None:
            self._pool.shutdown()


def _after(before: Future[None] | None, call: Callable[[], None]) -> None:
    if before is not None:
        before.result()
    call()


def _sync_folder(folder: Path) -> None:
    with storage_errors(folder):
        fsync_folder(folder)
