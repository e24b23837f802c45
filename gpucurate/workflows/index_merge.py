"""Several indexes as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gpucurate.dedup.index import Index, read_index
from gpucurate.spec.errors import ConfigurationError
from gpucurate.workflows.index_sketch import refuse_other_sketch
from gpucurate.workflows.index_store import new_index, put, refuse_occupied, take_files


def merge_indexes(folders: Sequence[Path], output: Path) -> Index:
    """Make an index of all documents of others; these stay as they are.

    No key is compared: a document that two of them hold is in it twice.

    Args:
        folders: of the indexes, in the order that their documents are to have.
        output: a new or empty folder.

    Raises:
        ConfigurationError: no index, indexes of different sketches, or one of them twice.
        OutputInUseError: the output holds something.
        StorageError: an index is damaged, or the output cannot be written.

    >>> merge_indexes([Path("2024.index"), Path("2025.index")], Path("all.index")).documents
    """
    if not folders:
        raise ConfigurationError("no index is given: name those to put together")
    indexes = [read_index(folder) for folder in folders]
    for index in indexes[1:]:
        refuse_other_sketch(index, indexes[0].sketch, f"the index {indexes[0].folder}")
    _refuse_repeated(indexes)
    refuse_occupied(output)
    parts = tuple(part for index in indexes for part in index.parts)
    with new_index(output) as making:
        for index in indexes:
            take_files(index, making)
        put(Index(making, indexes[0].sketch, parts))
    return Index(output, indexes[0].sketch, parts)


def _refuse_repeated(indexes: Iterable[Index]) -> None:
    seen: dict[str, Path] = {}
    for index in indexes:
        for file in index.files:
            if file.name in seen:
                raise ConfigurationError(
                    f"{index.folder} holds documents that {seen[file.name]} holds: give each index once"
                )
            seen[file.name] = index.folder
