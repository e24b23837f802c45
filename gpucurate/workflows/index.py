"""A deduplication against indexes, and the index that it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson

from gpucurate.dedup.index import Index, IndexFile, IndexPart, is_index, read_index
from gpucurate.dedup.index_hits import OldFile
from gpucurate.dedup.index_origins import Origins
from gpucurate.dedup.index_piece import select
from gpucurate.dedup.index_writer import IndexWriter
from gpucurate.dedup.key_file import KeyFile, KeySet
from gpucurate.dedup.survivors import Clusters
from gpucurate.dedup.verification import Verification
from gpucurate.disk.files import write_atomic
from gpucurate.spec.errors import ConfigurationError, StorageError
from gpucurate.spec.names import encode_name
from gpucurate.spec.storage import storage_errors
from gpucurate.workflows.found import Found
from gpucurate.workflows.index_sketch import refuse_other_sketch
from gpucurate.workflows.index_store import new_index, put, refuse_occupied

IN_INDEX = "in index"
"""In the books: documents that were dropped because an index holds one of their cluster."""

SAVED_JSON = "indexes.json"
"""Of the run folder: fingerprint of each index that the run has saved, by its folder."""


@dataclass(frozen=True, slots=True)
class Against:
    """The indexes that a run holds its documents against.

    Attributes:
        indexes: as they were given.
        files: of all indexes, each once, in order; and the ids that their documents have in the run.
    """

    indexes: tuple[Index, ...]
    files: tuple[OldFile, ...]

    @classmethod
    def open(cls, folders: Sequence[str | PathLike[str]]) -> Self:
        """Open indexes.

        Raises:
            ConfigurationError: no index.
            StorageError: one that is damaged.
        """
        indexes = tuple(read_index(Path(folder)) for folder in folders)
        return cls(indexes, tuple(_old_files(indexes)))

    def check(self, identity: Mapping[str, Any], verification: Verification) -> None:
        """Refuse indexes that the run cannot be held against.

        Args:
            identity: what the run takes its keys by.
            verification: how it verifies pairs.

        Raises:
            ConfigurationError: there is one; the message says in what it differs, or what it lacks.
        """
        for index in self.indexes:
            refuse_other_sketch(index, identity, "this run")
            _refuse_verification(index, verification)

    @property
    def documents(self) -> int:
        """Of all indexes; what two of them share counts once."""
        return sum(file.documents for file in self.files)

    def decides(self) -> dict[str, Any]:
        """What of the indexes changes results: what they hold, wherever they lie."""
        return {"against": [index.fingerprint for index in self.indexes]} if self.indexes else {}

    def report(self, clusters: Clusters) -> dict[str, Any]:
        """What there was, and how many documents it had already."""
        indexes = [
            {"folder": encode_name(str(index.folder)), "documents": index.documents} for index in self.indexes
        ]
        return {"indexes": indexes, "documents": self.documents, "dropped": clusters.in_index}

    def with_new(self, keys: KeySet) -> KeySet:
        """All keys: those of the indexes, then those of the run."""
        bases = [file.first_id for file in self.files]
        return KeySet(
            [*(file.keys for file in self.files), *keys.paths],
            np.concatenate((np.array(bases, np.int64), keys.bases + self.documents)),
        )

    def after_old(self, keys: KeySet) -> KeySet:
        """The keys of the run, by the ids that documents have after those of the indexes."""
        return KeySet(keys.paths, keys.bases + self.documents)


def _refuse_verification(index: Index, verification: Verification) -> None:
    if verification.verify == "exact":
        instead = "verify='estimate'" if index.has_signatures else "no verification"
        raise ConfigurationError(
            f"verify='exact' compares texts, but the old text of the index {index.folder} is not there: "
            f"choose {instead}"
        )
    if verification.verify == "estimate" and not index.has_signatures:
        raise ConfigurationError(
            f"verify='estimate' compares signatures, but the index {index.folder} holds none: choose no "
            "verification, or save the index by a run with verify='estimate'"
        )


def _old_files(indexes: Sequence[Index]) -> list[OldFile]:
    entries: dict[str, tuple[Index, IndexFile]] = {}
    for index in indexes:
        for file in index.files:
            entries.setdefault(file.name, (index, file))
    first_ids = accumulate((file.documents for _, file in entries.values()), initial=0)
    return [
        OldFile(index.folder, index.keys_path(file), index.origins_path(file), first_id, file.documents)
        for (index, file), first_id in zip(entries.values(), first_ids, strict=False)
    ]


@dataclass(frozen=True, slots=True)
class SavedIndex:
    """The index that a run is to leave.

    Attributes:
        folder: where to.
        state: the run folder, which remembers what was saved.
    """

    folder: Path
    state: Path

    @property
    def was_saved(self) -> bool:
        """Whether there is an index where this run saved one; it may have been changed since."""
        return is_index(self.folder) and self._name in self._saved()

    @property
    def is_there(self) -> bool:
        """Whether there is the very index that this run saved."""
        return self.was_saved and read_index(self.folder).fingerprint == self._saved()[self._name]

    def refuse_overlap(self, others: Sequence[Path]) -> None:
        """Refuse a folder that lies in another one of the run, or around it.

        Raises:
            ConfigurationError: it does.
        """
        folder = self.folder.resolve()
        for other in others:
            place = other.resolve()
            if folder.is_relative_to(place) or place.is_relative_to(folder):
                raise ConfigurationError(
                    f"the new index {self.folder} and {other} lie in each other: choose a folder of its own"
                )

    def check(self, *, is_finished: bool) -> None:
        """Refuse a folder that holds something that is not of this run.

        Args:
            is_finished: whether the run is, so that it will write nothing.

        Raises:
            OutputInUseError: it does.
            StorageError: there is an index that is damaged.
        """
        if not (self.was_saved if is_finished else self.is_there):
            refuse_occupied(self.folder)

    def save(self, identity: Mapping[str, Any], found: Found, clusters: Clusters) -> Index:
        """Write the keys of the documents that are kept, unless they are there.

        Args:
            identity: what the keys were taken by.
            found: the keys of all documents.
            clusters: which are kept.

        Raises:
            StorageError: not possible.
        """
        if self.is_there:
            return read_index(self.folder)
        with new_index(self.folder) as making:
            parts = (IndexPart(self.folder.absolute().name, _write(making, found, clusters)),)
            index = Index(making, dict(identity), parts)
            put(index)
            self._remember(index)
        return read_index(self.folder)

    @property
    def _name(self) -> str:
        return encode_name(str(self.folder.absolute()))

    def _saved(self) -> dict[str, str]:
        path = self.state / SAVED_JSON
        with storage_errors(path, "read"):
            content = path.read_bytes() if path.exists() else b"{}"
        try:
            saved: dict[str, str] = orjson.loads(content)
        except ValueError as error:
            raise StorageError(f"{path} is damaged ({error}): remove it, and save another index") from error
        return saved

    def _remember(self, index: Index) -> None:
        values = {**self._saved(), self._name: index.fingerprint}
        write_atomic(self.state / SAVED_JSON, orjson.dumps(values, option=orjson.OPT_INDENT_2))


def _write(folder: Path, found: Found, clusters: Clusters) -> tuple[IndexFile, ...]:
    origins = Origins(found.spans)
    with IndexWriter(folder) as writer:
        for base, file in found.keys.files():
            _add_kept(writer, file, base, origins, clusters)
        return tuple(writer.finish())


def _add_kept(writer: IndexWriter, file: KeyFile, base: int, origins: Origins, clusters: Clusters) -> None:
    for records, piece in select(file, lambda first, stop: clusters.is_kept(base + first, base + stop)):
        writer.add(piece, origins.of(base + records))
