"""An index on disk: the keys of documents that were kept, so that others can be held against them.

A folder with

    index.json      format, sketch, parts; each part has a name and a list of files
    NAME.keys       keys of documents, as :mod:`~gpucurate.dedup.key_file` has them, without gaps
    NAME.parquet    ``path`` and ``row`` of each of these documents, in the same order

NAME is the digest of the two files. They are never changed: an index is changed by another
``index.json``, which appears as a whole, and indexes can share files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from gpucurate.dedup.key_file import KeyFile
from gpucurate.spec.errors import ConfigurationError, StorageError
from gpucurate.spec.storage import storage_errors

FORMAT_VERSION = 1
INDEX_JSON = "index.json"


@dataclass(frozen=True, slots=True)
class IndexFile:
    """Keys of some documents.

    Attributes:
        name: of the two files, without suffix: a digest of what they hold.
        documents: how many.
        bytes: size of the key file.
        signature_values: values of a document's signature; 0 where none are kept.
    """

    name: str
    documents: int
    bytes: int
    signature_values: int


@dataclass(frozen=True, slots=True)
class IndexPart:
    """What one run saved.

    Attributes:
        name: of the folder that it was saved to.
        files: in order of documents.
    """

    name: str
    files: tuple[IndexFile, ...]

    @property
    def documents(self) -> int:
        """How many the part holds."""
        return sum(file.documents for file in self.files)


@dataclass(frozen=True, slots=True)
class Index:
    """An index, as its ``index.json`` tells of it.

    Attributes:
        folder: where it lies.
        sketch: what was taken of each text (:func:`~gpucurate.dedup.index_sketch.sketch_identity`).
        parts: in order of documents.
    """

    folder: Path
    sketch: dict[str, Any]
    parts: tuple[IndexPart, ...]

    @property
    def files(self) -> Sequence[IndexFile]:
        """Of all parts."""
        return [file for part in self.parts for file in part.files]

    @property
    def documents(self) -> int:
        """How many the index holds."""
        return sum(part.documents for part in self.parts)

    @property
    def has_signatures(self) -> bool:
        """Whether pairs with its documents can be estimated."""
        return all(file.signature_values for file in self.files)

    @property
    def fingerprint(self) -> str:
        """128 bits that tell the index from any other, wherever it lies."""
        return hashlib.blake2b(self.to_json(), digest_size=16).hexdigest()

    def keys_path(self, file: IndexFile) -> Path:
        """The keys of a file's documents."""
        return self.folder / f"{file.name}.keys"

    def origins_path(self, file: IndexFile) -> Path:
        """Where a file's documents come from."""
        return self.folder / f"{file.name}.parquet"

    def to_json(self) -> bytes:
        """The content of ``index.json``: the same bytes for the same index."""
        parts = [{"name": part.name, "files": [asdict(file) for file in part.files]} for part in self.parts]
        values = {"format": FORMAT_VERSION, "sketch": self.sketch, "parts": parts}
        return orjson.dumps(
            values, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        )


def is_index(folder: Path) -> bool:
    """Whether there is an index in a folder."""
    return (folder / INDEX_JSON).exists()


def read_index(folder: Path) -> Index:
    """Open an index.

    Raises:
        ConfigurationError: no index, or one of a later version.
        StorageError: it cannot be read, or is damaged.

    >>> read_index(Path("day1.index")).documents
    """
    path = folder / INDEX_JSON
    if not is_index(folder):
        raise ConfigurationError(
            f"{folder} is not an index: it has no {INDEX_JSON}. Give a folder that --save-index has written"
        )
    with storage_errors(path, "read"):
        content = path.read_bytes()
    index = _parse(folder, path, content)
    for file in index.files:
        _check_keys(index.keys_path(file), file)
    return index


def _parse(folder: Path, path: Path, content: bytes) -> Index:
    try:
        values = orjson.loads(content)
        version = values["format"]
        if version == FORMAT_VERSION:
            return Index(folder, dict(values["sketch"]), tuple(map(_part, values["parts"])))
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path} is damaged ({error}): save the index again") from error
    raise ConfigurationError(
        f"{folder} is an index of format {version}, this version reads format {FORMAT_VERSION}: save it again"
    )


def _part(values: dict[str, Any]) -> IndexPart:
    return IndexPart(values["name"], tuple(IndexFile(**file) for file in values["files"]))


def _check_keys(path: Path, told: IndexFile) -> None:
    with storage_errors(path, "read"):
        found = path.stat().st_size
    if found != told.bytes:
        raise StorageError(
            f"{path} has {found:,} bytes, not {told.bytes:,}: the index is damaged, save it again"
        )
    with KeyFile(path) as keys:
        has = keys.records, keys.documents, keys.layout.signature_values
    if has != (told.documents, told.documents, told.signature_values):
        raise StorageError(
            f"{path} has the keys of {has[0]} documents, not of {told.documents}, or other signatures than "
            f"{INDEX_JSON} tells of: the index is damaged, save it again"
        )
