"""Documents taken out of an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.dedup.index import Index, IndexFile, IndexPart, read_index
from gpucurate.dedup.index_origins import read_origins, take_origins
from gpucurate.dedup.index_piece import select
from gpucurate.dedup.index_writer import IndexWriter
from gpucurate.dedup.key_file import KeyFile
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.workflows.index_rows import Rows
from gpucurate.workflows.index_store import (
    new_index,
    only_one,
    put,
    refuse_occupied,
    remove_unnamed,
    take_files,
)


@dataclass(frozen=True)
class Unwanted:
    """Which documents are to go.

    Attributes:
        globs: over paths as their runs listed them; ``*`` takes slashes too.
        rows: documents one by one.

    Raises:
        ConfigurationError: neither is given.
    """

    globs: Sequence[str] = ()
    rows: Rows = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.globs and not self.rows:
            raise ConfigurationError("nothing is said of which documents are to go: give globs or a list")

    def among(self, origins: pa.Table) -> npt.NDArray[np.bool_]:
        """Whether each of some documents is to go: bool[n]."""
        gone = np.zeros(origins.num_rows, bool)
        if not origins.num_rows:
            return gone
        paths = origins.column("path").chunk(0)
        which = paths.indices.to_numpy()
        rows = origins.column("row").fill_null(-1).to_numpy()
        for number, path in enumerate(paths.dictionary.to_pylist()):
            if any(fnmatchcase(path, glob) for glob in self.globs):
                gone |= which == number
            elif path in self.rows:
                gone |= (which == number) & np.isin(rows, self.rows[path])
        return gone


def delete_from_index(folder: Path, unwanted: Unwanted, output: Path | None = None) -> tuple[Index, int]:
    """Take documents out of an index.

    Args:
        folder: of the index.
        unwanted: which documents.
        output: a new or empty folder for what stays; in place if None, as a whole or not at all.

    Returns:
        The index of what stays, and how many documents went.

    Raises:
        ConfigurationError: no index.
        InputError: no document of it is unwanted.
        OutputInUseError: the output holds something, or another process is changing the index.
        StorageError: the index is damaged, or what stays cannot be written.

    >>> delete_from_index(Path("all.index"), Unwanted(globs=["2019/*"]))
    """
    if output is None:
        with only_one(folder):
            before = read_index(folder)
            after = _without(before, unwanted, folder)
            put(after)
            remove_unnamed(after)
    else:
        before = read_index(folder)
        refuse_occupied(output)
        with new_index(output) as making:
            after = _without(before, unwanted, making)
            take_files(replace(after, folder=folder, parts=_common(after, before)), making)
            put(after)
        after = replace(after, folder=output)
    return after, before.documents - after.documents


def _without(index: Index, unwanted: Unwanted, target: Path) -> Index:
    """The index of what stays; files that lose documents are written anew, to ``target``."""
    parts = tuple(_part_without(index, part, unwanted, target) for part in index.parts)
    after = Index(target, index.sketch, parts)
    if after.documents == index.documents:
        raise InputError(
            f"{index.folder} holds none of these documents: paths are told as its runs listed them, see "
            f"`gpucurate index info {index.folder}`"
        )
    return after


def _part_without(index: Index, part: IndexPart, unwanted: Unwanted, target: Path) -> IndexPart:
    files: list[IndexFile] = []
    for file in part.files:
        origins = read_origins(index.origins_path(file), file.documents)
        gone = unwanted.among(origins)
        files += _rewritten(index, file, origins, ~gone, target) if gone.any() else [file]
    return IndexPart(part.name, tuple(files))


def _rewritten(
    index: Index, file: IndexFile, origins: pa.Table, stays: npt.NDArray[np.bool_], target: Path
) -> list[IndexFile]:
    with IndexWriter(target) as writer, KeyFile(index.keys_path(file)) as keys:
        for ids, piece in select(keys, lambda first, stop: stays[first:stop]):
            writer.add(piece, take_origins(origins, ids))
        return writer.finish()


def _common(after: Index, before: Index) -> tuple[IndexPart, ...]:
    """What both name."""
    named = {file.name for file in before.files}
    return tuple(
        IndexPart(part.name, tuple(file for file in part.files if file.name in named)) for part in after.parts
    )
