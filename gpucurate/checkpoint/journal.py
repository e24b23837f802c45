"""A file of JSON lines that grows: for looking things up later, not for going on from."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson

from gpucurate.disk.crash import reach
from gpucurate.disk.files import make_passing_folder, open_private
from gpucurate.spec.storage import storage_errors

_BUFFER = 1 << 16

_FLUSH_SECONDS = 1.0
"""After so long a line takes those before it along: a run that is killed, or hangs, can be looked at."""


class Journal:
    """Appends values, several at a time; what a kill leaves out is the last second.

    Args:
        path: of the file; made anew.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_passing_folder(path.parent)
        with storage_errors(path):
            self._file = open_private(path, "wb", _BUFFER)
        reach("journal.after_open")
        self._flushed = float("-inf")  # the first line goes out at once

    def write(self, value: Any) -> None:
        """Add a line.

        Raises:
            StorageError: disk full, device error.
        """
        with storage_errors(self.path):
            self._file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
            if time.monotonic() - self._flushed >= _FLUSH_SECONDS:
                self._file.flush()
                self._flushed = time.monotonic()

    def close(self) -> None:
        """Write what is left."""
        reach("journal.before_close")
        with storage_errors(self.path):
            self._file.close()
