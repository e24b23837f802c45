"""A file of JSON lines that grows: for looking things up later, not for going on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from gpucurate.checkpoint.durable import make_folder
from gpucurate.spec.storage import storage_errors

_BUFFER = 1 << 16


class Journal:
    """Appends values, several at a time; what a crash leaves out is the end.

    Args:
        path: of the file; made anew.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        with storage_errors(path):
            self._file = path.open("wb", buffering=_BUFFER)

    def write(self, value: Any) -> None:
        """Add a line.

        Raises:
            StorageError: disk full, device error.
        """
        with storage_errors(self.path):
            self._file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Write what is left."""
        with storage_errors(self.path):
            self._file.close()
