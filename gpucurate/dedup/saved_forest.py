"""A grouping under way, on disk: so that one that is killed need not begin anew.

The file holds a line of JSON (records, the groups of bands that were joined, XXH3 with 128 bits of what
follows) and the union-find, uint32 a record. What more had been joined when it was written does no harm:
joining again changes nothing. A file that is damaged counts as none, since nothing is lost with it but time.
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
import xxhash

from gpucurate.disk.crash import reach
from gpucurate.disk.files import fsync_folder, make_folder, remove_temporaries
from gpucurate.spec.storage import storage_errors

Ids = npt.NDArray[np.uint32]

SAVE_SECONDS = 10.0
"""Between two savings: at 4 bytes a record each takes a small part of that."""

WORTH_SECONDS = 1.0
"""A grouping that took less is not saved at its end: it is as soon done again."""


_LONGEST_HEAD = 1 << 16


class SavedForest:
    """Where a union-find is saved while bands are joined.

    Args:
        path: of the file; its name should tell what is grouped.
        every: seconds between two savings; :data:`SAVE_SECONDS` if None.
        worth: seconds that the end of a grouping must have taken to be saved; :data:`WORTH_SECONDS` if None.
    """

    def __init__(self, path: Path, every: float | None = None, worth: float | None = None) -> None:
        self.path = path
        self._every = SAVE_SECONDS if every is None else every
        self._worth = WORTH_SECONDS if worth is None else worth
        self._last = time.monotonic()

    def load(self, records: int) -> tuple[Ids, set[int]] | None:
        """The union-find and the bands that were joined, if a whole saving of so many records is there.

        What a saving that was killed has left is removed; whoever calls holds the lock of the run folder.

        Raises:
            StorageError: the file cannot be read.
        """
        if not self.path.parent.is_dir():
            return None
        remove_temporaries(self.path.parent)
        if not self.path.exists():
            return None
        with storage_errors(self.path, "read"), self.path.open("rb") as file:
            head = _parsed(file.readline(_LONGEST_HEAD))
            if head is None or head["records"] != records:
                return None
            parents = np.fromfile(file, np.uint32)
        if len(parents) != records or _checksum(parents) != head["checksum"]:
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
        head = {"records": len(parents), "joined": sorted(joined), "checksum": _checksum(parents)}
        with storage_errors(self.path):
            reach("forest.before_write")
            with temporary.open("wb") as file:
                file.write(orjson.dumps(head) + b"\n")
                file.write(parents.data)
                file.flush()
                reach("forest.before_fsync")
                os.fsync(file.fileno())
            reach("forest.before_rename")
            temporary.replace(self.path)
            fsync_folder(self.path.parent)
        reach("forest.after_save")
        self._last = time.monotonic()


def _checksum(parents: Ids) -> str:
    return xxhash.xxh3_128_hexdigest(parents.data)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The head of a saving, if it is one."""
    try:
        head = orjson.loads(line)
    except ValueError:
        return None
    if not isinstance(head, dict) or not isinstance(head.get("joined"), list):
        return None
    has_all = {"records", "checksum"} <= head.keys() and all(isinstance(band, int) for band in head["joined"])
    return head if has_all else None
