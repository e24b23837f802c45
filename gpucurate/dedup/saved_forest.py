"""A grouping under way, on disk: so that one that is killed need not begin anew.

The file holds a line of JSON (records, and the groups of bands that were joined) and the union-find, uint32 a
record. What more had been joined when it was written does no harm: joining again changes nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from gpucurate.disk.files import fsync_folder, make_folder
from gpucurate.spec.storage import storage_errors

Ids = npt.NDArray[np.uint32]

SAVE_SECONDS = 10.0
"""Between two savings: at 4 bytes a record each takes a small part of that."""

WORTH_SECONDS = 1.0
"""A grouping that took less is not saved at its end: it is as soon done again."""


class SavedForest:
    """Where a union-find is saved while bands are joined.

    Args:
        path: of the file; its name should tell what is grouped.
        every: seconds between two savings.
        worth: seconds that the end of a grouping must have taken to be saved.
    """

    def __init__(self, path: Path, every: float = SAVE_SECONDS, worth: float = WORTH_SECONDS) -> None:
        self.path = path
        self._every, self._worth = every, worth
        self._last = time.monotonic()

    def load(self, records: int) -> tuple[Ids, set[int]] | None:
        """The union-find and the bands that were joined, if a saving of so many records is there.

        Raises:
            StorageError: it cannot be read.
        """
        if not self.path.exists():
            return None
        with storage_errors(self.path, "read"), self.path.open("rb") as file:
            head: dict[str, Any] = orjson.loads(file.readline())
            parents = np.fromfile(file, np.uint32)
        if head["records"] != records or len(parents) != records:
            return None
        return parents, set(head["joined"])

    def is_due(self, *, is_last: bool) -> bool:
        """Whether enough was done since the last saving."""
        return time.monotonic() - self._last >= (self._worth if is_last else self._every)

    def save(self, parents: Ids, joined: Iterable[int]) -> None:
        """Save, whole or not at all; the union-find must not change meanwhile.

        Raises:
            StorageError: not possible.
        """
        make_folder(self.path.parent)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        with storage_errors(self.path):
            with temporary.open("wb") as file:
                file.write(orjson.dumps({"records": len(parents), "joined": sorted(joined)}) + b"\n")
                parents.tofile(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
            fsync_folder(self.path.parent)
        self._last = time.monotonic()
