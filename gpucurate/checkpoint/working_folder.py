"""Folders of this machine in which runs to stores keep what is read and written by path."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from gpucurate.spec.errors import StorageError
from gpucurate.spec.place import Url
from gpucurate.spec.storage import storage_errors


def working_folder(output: Url) -> Path:
    """Where a run to a store works: beneath ``XDG_CACHE_HOME`` or ``~/.cache``, else ``TMPDIR``.

    The name is a digest of the URL: the same output has the same folder.
    """
    digest = hashlib.sha256(str(output).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return _cache() / "runs" / digest


def _cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    if given and Path(given).is_absolute():
        return Path(given) / "gpucurate"
    home = os.environ.get("HOME")
    if home and os.access(home, os.W_OK) and not _is_refused(Path(home) / ".cache"):
        return Path(home) / ".cache" / "gpucurate"
    return Path(tempfile.gettempdir()) / f"gpucurate-{os.getuid()}"


def _is_refused(folder: Path) -> bool:
    return folder.exists() and not os.access(folder, os.W_OK)


def make_private(folder: Path) -> None:
    """Make a folder, and those above it up to the cache, that nobody else may look into.

    Raises:
        StorageError: not possible, or it belongs to somebody else.
    """
    with storage_errors(folder):
        for each in (folder.parents[1], folder.parents[0], folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = each.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                raise StorageError(
                    f"{each} is not a folder of this user: remove it, or set XDG_CACHE_HOME to another place"
                )
            each.chmod(0o700)
