"""The files of an input: found, recognised, named, and in order."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

from gpucurate.io.names import RECOGNISED, RECOGNISED_OF, recognise
from gpucurate.io.roots import find_roots, name_roots
from gpucurate.io.urls import redact
from gpucurate.io.walk import Found, Walk
from gpucurate.spec.errors import InputError
from gpucurate.spec.source import FileFormat, InputFile


@dataclass(frozen=True, slots=True)
class Listing:
    """The input of a run.

    Attributes:
        files: sorted by the bytes of ``name``, which is unique.
        ignored: (path, reason) of what was found and is not read, sorted.
        warnings: sentences about the listing as a whole.
    """

    files: tuple[InputFile, ...]
    ignored: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()


def list_input(
    inputs: Sequence[str | PathLike[str]],
    *,
    format: FileFormat | None = None,
    recurse: bool = True,
    follow_external: bool = False,
) -> Listing:
    """List files, folders, globs (``**`` too) and fsspec URLs of s3, gs, abfs, file, memory.

    A file is recognised by its name, those given one by one included; ``.json`` is
    JSON lines only with ``format="jsonl"``. Names that begin with a dot or an underscore
    are passed over in folders and globs, as are temporary files and checksums. Links are followed, each
    folder once; those that lead out of the folder, or of the part of a glob before its first wildcard,
    only with ``follow_external``. FIFOs, sockets and devices are never opened.

    ``InputFile.name`` is the path below the folder, or below the part of a glob before its
    first wildcard. Files given one by one are named below the folder they have in common.
    With more than one root, a folder's or glob's names begin with the base name of the root, with
    ``-2``, ``-3`` and so on for roots of equal base name, in the order of their paths.
    A path that is reached twice is read once; one file by two names is read by both, with a
    warning.

    Raises:
        InputError: nothing there, nothing that is recognised, a link to nothing or out of its folder, no
            permission.
        ConfigurationError: a URL that is not allowed.
    """
    shown = [redact(os.fspath(i)) for i in inputs]
    if not inputs:
        raise InputError("no input was given: name files, folders, globs or URLs")
    ignored: list[tuple[str, str]] = []
    walk = Walk(recurse, ignored, follow_external)
    roots = find_roots([os.fspath(i) for i in inputs], walk)
    prefixes = name_roots(roots)
    files: dict[str, tuple[InputFile, Found]] = {}
    repeated = 0
    for root, prefix in zip(roots, prefixes, strict=True):
        for found in root.files:
            recognised = recognise(found.path.rsplit("/", 1)[-1], format)
            if isinstance(recognised, str):
                ignored.append((found.path, recognised))
            elif found.path in files:
                repeated += 1
            else:
                files[found.path] = (_input_file(found, prefix, *recognised), found)
    if not files:
        raise InputError(_nothing_found(shown, format, ignored))
    warnings = _warnings(repeated, [found for _, found in files.values()], len(roots) > 1)
    listed = sorted((file for file, _ in files.values()), key=lambda f: os.fsencode(f.name))
    return Listing(tuple(listed), tuple(sorted(set(ignored))), tuple(warnings))


def _input_file(found: Found, prefix: str, file_format: FileFormat, compression: object) -> InputFile:
    return InputFile(
        found.path,
        prefix + found.relative,
        found.size,
        found.mtime_ns,
        found.etag,
        file_format,
        compression,  # type: ignore[arg-type]
    )


def _warnings(repeated: int, found: list[Found], may_overlap: bool) -> list[str]:
    warnings = [f"{repeated} paths were given more than once and are read once"] if repeated else []
    if not may_overlap and not any(f.is_shared for f in found):
        return warnings  # a million files need no table of identities
    first: dict[object, Found] = {}
    for file in found:
        other = first.setdefault(file.identity, file)
        if other is not file:
            warnings.append(f"{file.path} and {other.path} are one file by two names: both are read")
    return warnings


def _nothing_found(shown: list[str], wanted: FileFormat | None, ignored: list[tuple[str, str]]) -> str:
    where = ", ".join(shown)
    looked_for = RECOGNISED if wanted is None else RECOGNISED_OF[wanted]
    if not ignored:
        return f"{where} holds no files: looked for {looked_for}"
    reasons = Counter(reason for _, reason in ignored).most_common(4)
    there = "; ".join(f"{count} x {reason}" for reason, count in reasons)
    example = os.fsencode(redact(min(ignored)[0])).decode(errors="backslashreplace")
    return (
        f"{where} holds nothing to read: looked for {looked_for}; "
        f"there are {len(ignored)} other entries ({there}), such as {example!r}"
    )
