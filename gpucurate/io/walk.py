"""What lies under a folder, local or in a store."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gpucurate.io.names import hidden_reason
from gpucurate.io.source import facts_of
from gpucurate.spec.errors import InputError


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file, not yet looked at by name.

    Attributes:
        path: absolute path or URL.
        relative: path below the root, ``/`` as separator.
        size: bytes.
        mtime_ns: last change, or None.
        etag: entity tag of a store, or None.
        identity: device and inode, or the path in a store: equal for two names of one file.
        is_shared: whether it may have a second name (a link).
    """

    path: str
    relative: str
    size: int
    mtime_ns: int | None
    etag: str | None
    identity: object
    is_shared: bool = False


@dataclass(slots=True)
class Walk:
    """A walk of local folders.

    Real folders come before links to folders, and each is entered once by its identity: loops
    end, and a file's name is that by real folders where there is one.

    Attributes:
        recurse: whether to enter folders in the root.
        follow_external: whether to follow links that lead out of the root.
        ignored: (path, reason) of what was passed over.
    """

    recurse: bool = True
    ignored: list[tuple[str, str]] = field(default_factory=list)
    follow_external: bool = False
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def files(self, root: str) -> Iterator[Found]:
        """The regular files under ``root``, in no particular order.

        Raises:
            InputError: a folder or file that may not be read, or a link to nothing or out of the root.
        """
        folders, links = [(root, "")], list[tuple[str, str]]()
        inside = os.path.realpath(root)
        while folders or links:
            path, below = folders.pop() if folders else links.pop()
            if not self._enter(path):
                continue
            for entry in _entries(path):
                relative = below + entry.name
                reason = hidden_reason(entry.name)
                if reason is not None:
                    self.ignored.append((entry.path, reason))
                    continue
                if entry.is_symlink():
                    self.refuse_external(entry.path, inside)
                if _is_folder(entry):
                    target = links if entry.is_symlink() else folders
                    self._add_folder(target, entry.path, relative + "/")
                else:
                    yield from self._file(entry, relative)
            links.sort(reverse=True)

    def refuse_external(self, path: str, inside: str) -> None:
        """Refuse a link that leads out of a folder, unless such are to be followed.

        Args:
            path: the link.
            inside: the real path of the folder.

        Raises:
            InputError: it does.
        """
        target = os.path.realpath(path)
        if not self.follow_external and os.path.commonpath([target, inside]) != inside:
            raise InputError(
                f"{path} is a link out of {inside}, to {target}: remove it, or give --follow-external "
                "(follow_external=True) to read what it leads to"
            )

    def _add_folder(self, target: list[tuple[str, str]], path: str, below: str) -> None:
        if self.recurse:
            target.append((path, below))
        else:
            self.ignored.append((path, "a folder, and folders are not entered"))

    def _enter(self, path: str) -> bool:
        status = os.stat(path)  # noqa: PTH116 - a million of these
        identity = (status.st_dev, status.st_ino)
        if identity in self._seen:
            self.ignored.append((path, "a folder that is read by another name"))
            return False
        self._seen.add(identity)
        return True

    def _file(self, entry: os.DirEntry[str], relative: str) -> Iterator[Found]:
        found = local_file(entry.path, relative, entry.is_symlink())
        if isinstance(found, str):
            self.ignored.append((entry.path, found))
        else:
            yield found


def local_file(path: str, relative: str, is_link: bool) -> Found | str:
    """The file at ``path``, or why it is none; it is not opened.

    Raises:
        InputError: a link to nothing, or not readable.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - a million of these
    except FileNotFoundError as error:
        what = "is a link to nothing" if is_link else "vanished while it was listed"
        raise InputError(f"{path} {what}: remove it, or restore what it points to") from error
    except OSError as error:
        raise InputError(f"{path} cannot be looked at: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        return f"a {_KINDS.get(stat.S_IFMT(status.st_mode), 'special file')}, not a regular file"
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: permission denied")
    identity = (status.st_dev, status.st_ino)
    is_shared = is_link or status.st_nlink > 1
    return Found(path, relative, status.st_size, status.st_mtime_ns, None, identity, is_shared)


_KINDS = {
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFDIR: "folder",
}


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        raise InputError(f"{path} cannot be listed: {error.strerror}") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links: stat says more
        return False


def store_files(filesystem: Any, root: str, recurse: bool, ignored: list[tuple[str, str]]) -> Iterator[Found]:
    """The objects under ``root`` of an fsspec file system."""
    below = root.rstrip("/") + "/"
    for path, details in filesystem.find(root, maxdepth=None if recurse else 1, detail=True).items():
        url = filesystem.unstrip_protocol(path)
        relative = path[len(below) :] if path.startswith(below) else path.rsplit("/", 1)[-1]
        reason = next(filter(None, map(hidden_reason, relative.split("/"))), None)
        if details.get("type") == "directory" or path.endswith("/"):
            continue
        if reason is not None:
            ignored.append((url, reason))
        else:
            yield store_file(url, relative, details)


def store_file(url: str, relative: str, details: dict[str, Any]) -> Found:
    """One object of a store by what its listing says."""
    return Found(url, relative, *facts_of(details), identity=url)
