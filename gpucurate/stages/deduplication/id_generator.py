"""Ids of documents by the files they were read from, in NeMo Curator's format.

A batch is a group of files that were read together; its documents have consecutive ids. The file
is JSON: ``next_id``, and ``batch_registry`` of the batch's key to its first and last id. The key
is the UUID of version 5, in the name space of URLs, of the paths joined by semicolons.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import fsspec

from gpucurate.io.urls import is_url, scheme_of
from gpucurate.spec.errors import InputError
from gpucurate.spec.storage import storage_errors

CURATOR_DEDUP_ID_STR = "_curator_dedup_id"
"""The column of ids."""


class IdGeneratorBase:
    """Gives the documents of each batch of files a range of ids.

    Args:
        start_id: the next id.
        batch_registry: first and last id of batches by their key.

    >>> ids = IdGeneratorBase()
    >>> ids.register_batch(["a.jsonl", "b.jsonl"], 10), ids.register_batch("c.jsonl", 5)
    (0, 10)
    """

    def __init__(self, start_id: int = 0, batch_registry: Mapping[str, Any] | None = None) -> None:
        self.next_id = start_id
        self.batch_registry: dict[str, tuple[int, int]] = {
            key: (int(first), int(last)) for key, (first, last) in (batch_registry or {}).items()
        }

    def register_batch(self, files: str | list[str], count: int) -> int:
        """The first id of a batch of ``count`` documents; of one that is known, the id it has."""
        key = self.hash_files(files)
        if key not in self.batch_registry:
            self.batch_registry[key] = (self.next_id, self.next_id + count - 1)
            self.next_id += count
        return self.batch_registry[key][0]

    def hash_files(self, filepath: str | list[str]) -> str:
        """The key of a batch."""
        paths = [filepath] if isinstance(filepath, str) else filepath
        return str(uuid.uuid5(uuid.NAMESPACE_URL, ";".join(paths)))

    def get_batch_range(self, files: str | list[str] | None, key: str | None) -> tuple[int, int]:
        """First and last id of a batch, by its files or by its key.

        Raises:
            ValueError: both or neither are given.
            KeyError: there is no such batch.
        """
        if (files is None) == (key is None):
            raise ValueError("a batch is known by its files or by its key: give one of them")
        return self.batch_registry[self.hash_files(files) if files is not None else str(key)]

    def to_json(self) -> str:
        """The content of the file."""
        return json.dumps({"next_id": self.next_id, "batch_registry": self.batch_registry})

    def to_disk(self, filepath: str, storage_options: dict[str, Any] | None = None) -> None:
        """Write the file.

        Raises:
            ConfigurationError: a URL that is not allowed.
            StorageError: not possible.
        """
        _check(filepath)
        with storage_errors(Path(filepath)), fsspec.open(filepath, "w", **(storage_options or {})) as file:
            file.write(self.to_json())

    @classmethod
    def from_disk(cls, filepath: str, storage_options: dict[str, Any] | None = None) -> Self:
        """The generator that :meth:`to_disk`, here or in NeMo Curator, wrote.

        Raises:
            ConfigurationError: a URL that is not allowed.
            InputError: there is no such file, or it is another one.
        """
        _check(filepath)
        try:
            with fsspec.open(filepath, "r", **(storage_options or {})) as file:
                values = json.load(file)
            return cls(int(values["next_id"]), values["batch_registry"])
        except OSError as error:
            raise InputError(f"{filepath} cannot be read: {error.strerror or error}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"{filepath} is no file of an id generator, which has next_id and batch_registry: "
                f"{type(error).__name__}: {error}"
            ) from error


def _check(place: str) -> None:
    if is_url(place):
        scheme_of(place)
