"""How many units a worker has begun, told by a file that outlives it.

Reports come later than the units end, because files are synced in between. Of a worker that died this
says which unit it was at, so that one that was only waiting for the disk is not blamed.
"""

from __future__ import annotations

import os
from pathlib import Path

from gpucurate.spec.storage import storage_errors

_BYTES = 8


def position_path(folder: Path, phase: str, worker: int) -> Path:
    """Where a worker keeps its count.

    Args:
        folder: of attempts.
        phase: name of the plan.
        worker: its number, which is never used twice in a phase.
    """
    return folder / f"at-{phase}-{worker}"


class Position:
    """A count in a file of its own. The page cache keeps it when the process dies.

    Args:
        path: of the file; None to keep no count.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._begun = 0
        if path is not None:
            with storage_errors(path):
                self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                self._write()  # now, so that a full disk is told before there are units

    def advance(self) -> None:
        """A unit is begun.

        Raises:
            StorageError: it cannot be written.
        """
        self._begun += 1
        if self._path is not None:
            with storage_errors(self._path):
                self._write()

    def _write(self) -> None:
        os.pwrite(self._file, self._begun.to_bytes(_BYTES, "little"), 0)

    def close(self) -> None:
        """Remove the file: the worker ends well."""
        if self._path is not None:
            os.close(self._file)
            self._path.unlink(missing_ok=True)


def units_begun(path: Path) -> int:
    """The count that a worker left; 0 where it had not begun to count."""
    try:
        return int.from_bytes(path.read_bytes()[:_BYTES], "little")
    except OSError:
        return 0
