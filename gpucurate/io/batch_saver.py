"""Batches written by a thread of its own, while the stages behind go on with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Condition, Thread
from typing import Any, TypeAlias

import pyarrow as pa

from gpucurate.io.batch_file import BatchFile, to_rows
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.unit import OutputFile
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.finished import Sync

IN_FLIGHT = 64 * MIB
"""Bytes of batches that may wait to be written; a larger one goes alone."""

Paths: TypeAlias = Callable[[int], Path]
"""Where the n-th file goes."""


class BatchSaver:
    """Writes the batches of a unit in order, a file for each change of columns.

    Who brings batches faster than they are written waits.

    Args:
        paths: of the files.
        limit: bytes of batches that may wait.
    """

    def __init__(self, paths: Paths, limit: int = IN_FLIGHT) -> None:
        self._paths, self._limit = paths, limit
        self._files: list[BatchFile] = []
        self._due: deque[DocumentBatch | None] = deque()
        self._held = 0
        self._changed = Condition()
        self._error: BaseException | None = None
        self._thread: Thread | None = None

    @property
    def held(self) -> int:
        """Bytes of batches that are not yet written."""
        return self._held

    def put(self, batch: DocumentBatch) -> None:
        """Have a batch of the host written; it must not be changed any more.

        Raises:
            StorageError: an earlier one could not be written.
            TypeError: an earlier one carries metadata that JSON does not have.
        """
        size = batch.nbytes
        with self._changed:
            self._changed.wait_for(lambda: self._error or not self._held or self._held + size <= self._limit)
            self._check()
            self._held += size
            self._due.append(batch)
            self._changed.notify_all()
        if self._thread is None:
            self._thread = Thread(target=self._work, name="checkpoint", daemon=True)
            self._thread.start()

    def close(self, sync: Sync, names: Callable[[int], str]) -> list[OutputFile]:
        """Wait for all batches, and finish the files.

        Args:
            sync: takes each file over.
            names: what the n-th will be called.

        Raises:
            StorageError, TypeError: as for :meth:`put`.
        """
        self._end()
        self._check()
        done = [file.close(sync, names(number)) for number, file in enumerate(self._files)]
        self._files.clear()
        return done

    def abandon(self) -> None:
        """Stop, and remove what was written."""
        with self._changed:
            self._due.clear()
        self._end()
        for file in self._files:
            file.abandon()
            file.path.unlink(missing_ok=True)
        self._files.clear()

    def _end(self) -> None:
        if self._thread is None:
            return
        with self._changed:
            self._due.append(None)
            self._changed.notify_all()
        self._thread.join()
        self._thread = None

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            while (batch := self._next()) is not None:
                size = batch.nbytes
                self._write(batch)
                del batch
                with self._changed:
                    self._held -= size
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                self._error = error  # raised where batches are brought, which fails the unit
                self._changed.notify_all()

    def _next(self) -> DocumentBatch | None:
        with self._changed:
            self._changed.wait_for(lambda: self._due)
            return self._due.popleft()

    def _write(self, batch: DocumentBatch) -> None:
        rows, header = to_rows(batch)
        self._file_of(rows.schema).write(rows, header)

    def _file_of(self, schema: Any) -> BatchFile:
        if not self._files or not _is_same(self._files[-1].schema, schema):
            self._files.append(BatchFile(self._paths(len(self._files)), schema))
        return self._files[-1]


def _is_same(one: pa.Schema, other: pa.Schema) -> bool:
    return bool(one.equals(other, check_metadata=True))
