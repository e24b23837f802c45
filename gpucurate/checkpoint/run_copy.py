"""What those read of a run in a store who do not own it, as files of this machine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePosixPath

from gpucurate.checkpoint.at_once import at_once
from gpucurate.checkpoint.store import FOLDER
from gpucurate.checkpoint.stores import store_of
from gpucurate.spec.place import Url
from gpucurate.spec.storage import storage_errors

_FOLDERS = ("clusters", "records")
_FETCHES = 16


class RunCopy:
    """State, records and clusters of a run, in a folder that goes with this object.

    Args:
        output: of the run.

    Raises:
        StorageError: not possible.
    """

    def __init__(self, output: Url) -> None:
        self._store = store_of(output, None)
        self._folder = tempfile.TemporaryDirectory(prefix="gpucurate-run-")
        self.path = Path(self._folder.name)
        names = [name for name, _ in self._store.entries(f"{FOLDER}/")]
        at_once(self._fetch, [name for name in names if _is_read(name)], _FETCHES)

    def _fetch(self, name: str) -> None:
        path = self.path / name
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._store.open(name) as given, path.open("wb") as copy:
                shutil.copyfileobj(given, copy)


def _is_read(name: str) -> bool:
    """Whether a name is that of a file at the top of the run folder, or of what is looked into."""
    below = PurePosixPath(name).parts[1:]
    return ".." not in below and (len(below) == 1 or (len(below) == 2 and below[0] in _FOLDERS))
