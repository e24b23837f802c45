"""From what the user typed to the roots under which files are named."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gpucurate.io.names import hidden_reason
from gpucurate.io.retrying import retried, sentence_of
from gpucurate.io.urls import is_url, open_filesystem, redact, scheme_of
from gpucurate.io.walk import Found, Walk, local_file, store_file, store_files
from gpucurate.spec.errors import InputError

_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Root:
    """A folder, a glob, or all the files that were given one by one.

    Attributes:
        path: of the folder, or of the part of a glob without wildcards; empty for single files.
        files: found under it.
    """

    path: str
    files: Iterable[Found]

    @property
    def is_single_files(self) -> bool:
        """Whether the files were given one by one."""
        return not self.path


def find_roots(inputs: Sequence[str], walk: Walk) -> list[Root]:
    """The roots of ``inputs``, sorted by path; files given one by one come first, as one root.

    What is passed over is entered in ``walk.ignored``.

    Raises:
        InputError: a path that is not there, a glob without a match, a link out of a folder.
    """
    singles: list[Found] = []
    folders: dict[str, Root] = {}
    for given in inputs:
        is_remote = is_url(given) and not os.path.lexists(given)  # a local name may hold ::
        root = _remote_root(given, walk) if is_remote else _local_root(given, walk)
        if isinstance(root, Root):
            folders.setdefault(f"{root.path}\0{given if _WILDCARD.search(given) else ''}", root)
        else:
            singles.append(root)
    ordered = [folders[key] for key in sorted(folders, key=os.fsencode)]
    return ([Root("", _below_common_folder(singles))] if singles else []) + ordered


def name_roots(roots: Sequence[Root]) -> list[str]:
    """The prefix of each root's names: nothing for single files and for an only root."""
    if len(roots) == 1:
        return [""]
    taken = {f.relative.split("/", 1)[0] for r in roots if r.is_single_files for f in r.files}
    prefixes: list[str] = []
    for root in roots:
        if root.is_single_files:
            prefixes.append("")
            continue
        base = root.path.rstrip("/").rsplit("/", 1)[-1] or "root"
        label, n = base, 1
        while label in taken:
            n += 1
            label = f"{base}-{n}"
        taken.add(label)
        prefixes.append(label + "/")
    return prefixes


def _below_common_folder(files: list[Found]) -> list[Found]:
    """Single files, named below the folder they have in common."""
    paths = [f.path.split("/") for f in files]
    depth = 0
    while all(len(p) > depth + 1 for p in paths) and len({p[depth] for p in paths}) == 1:
        depth += 1
    return [replace(f, relative="/".join(p[depth:])) for f, p in zip(files, paths, strict=True)]


def _local_root(given: str, walk: Walk) -> Root | Found:
    path = os.path.abspath(given)  # noqa: PTH100 - keeps links as they are
    if os.path.isdir(path):  # noqa: PTH112
        return Root(path, walk.files(path))
    if os.path.lexists(path):
        found = local_file(path, os.path.basename(path), os.path.islink(path))  # noqa: PTH119, PTH114
        if isinstance(found, str):
            raise InputError(f"{given} is {found}: give a file, a folder or a glob")
        return found
    if _WILDCARD.search(given):
        return _local_glob(given, path, walk)
    raise InputError(f"{given} does not exist{_nearest(path)}")


def _nearest(path: str) -> str:
    """Which part of a path that is not there is there."""
    there = path
    while there not in ("", "/") and not os.path.lexists(there):
        there = os.path.dirname(there)  # noqa: PTH120
    return f": there is {there}, but nothing called {path[len(there) :].strip('/').split('/')[0]!r} in it"


def _local_glob(given: str, pattern: str, walk: Walk) -> Root:
    prefix = _fixed_part(pattern)
    matches = sorted(glob.glob(pattern, recursive=True), key=os.fsencode)  # noqa: PTH207
    if not matches:
        raise InputError(f"{given} matches nothing{_nearest(prefix) if not os.path.isdir(prefix) else ''}")  # noqa: PTH112
    return Root(prefix, list(_matched_files(matches, prefix, "**" in pattern, walk)))


def _matched_files(matches: list[str], prefix: str, is_deep: bool, walk: Walk) -> Iterator[Found]:
    """Files that a glob matched, and those in folders that it matched unless it has ``**``."""
    inside = os.path.realpath(prefix)
    for path in matches:
        relative = os.path.relpath(path, prefix)
        reason = next(filter(None, map(hidden_reason, relative.split("/"))), None)
        if reason is not None and relative != ".":
            walk.ignored.append((path, reason))
            continue
        walk.refuse_external(path, inside)
        if os.path.isdir(path):  # noqa: PTH112
            if not is_deep:
                for found in walk.files(path):
                    below = f"{relative}/{found.relative}"
                    yield replace(found, relative=below)
        else:
            file = local_file(path, relative, os.path.islink(path))  # noqa: PTH114
            if isinstance(file, str):
                walk.ignored.append((path, file))
            else:
                yield file


def _fixed_part(pattern: str) -> str:
    """The folder before the first part of ``pattern`` that has a wildcard."""
    fixed: list[str] = []
    for part in pattern.split("/"):
        if _WILDCARD.search(part):
            break
        fixed.append(part)
    return "/".join(fixed) or "/"


def _remote_root(given: str, walk: Walk) -> Root | Found:
    if scheme_of(given) == "file":
        return _local_root(given.split("://", 1)[1], walk)
    filesystem, path = open_filesystem(given)
    try:
        return retried(lambda: _store_root(filesystem, given, path, walk))
    except FileNotFoundError as error:
        raise InputError(f"{redact(given)} does not exist") from error
    except OSError as error:
        raise InputError(f"{redact(given)} cannot be listed: {redact(sentence_of(error))}") from error


def _store_root(filesystem: Any, given: str, path: str, walk: Walk) -> Root | Found:
    if not filesystem.exists(path) and _WILDCARD.search(path):
        matches = filesystem.glob(path, detail=True)
        prefix = _fixed_part(path)
        files = [
            store_file(filesystem.unstrip_protocol(name), name[len(prefix) :].lstrip("/"), details)
            for name, details in matches.items()
            if details.get("type") == "file"
        ]
        if not files:
            raise InputError(f"{redact(given)} matches nothing")
        return Root(filesystem.unstrip_protocol(prefix), files)
    details = filesystem.info(path)
    if details.get("type") == "file":
        return store_file(filesystem.unstrip_protocol(path), path.rsplit("/", 1)[-1], details)
    ignored: list[tuple[str, str]] = []
    files = list(store_files(filesystem, path, walk.recurse, ignored))
    walk.ignored += ignored  # not before: the listing may have to be asked for again
    return Root(filesystem.unstrip_protocol(path), files)
