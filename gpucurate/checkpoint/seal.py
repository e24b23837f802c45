"""What a run folder holds when its run has ended well: size and checksum of what somebody relies on.

``_SUCCESS`` has them, as ``{"files": [{"name": ..., "bytes": ..., "checksum": ...}]}`` with names in the run
folder; versions that kept no such list left it empty. The listing of the input is known by its digest, and
outputs are by their records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO

import orjson

from gpucurate.checkpoint.run_place import RunPlace
from gpucurate.checkpoint.state_files import parse_state
from gpucurate.checkpoint.store import FOLDER
from gpucurate.ops.document_hash import DocumentHasher
from gpucurate.spec.storage import storage_errors

SUCCESS = "_SUCCESS"

LOG = "commit.log"

_FILES = ("run.json", LOG, "report.json", "manifest.json", "in_index.parquet")
_FOLDERS = ("phases", "clusters", "edges", "rejects", "quarantine")

_BLOCK = 1 << 20


def sealed(place: RunPlace) -> bytes:
    """The content of ``_SUCCESS`` for the run folder as it is.

    Raises:
        StorageError: a file cannot be read.
    """
    return orjson.dumps({"files": [_entry(place, name) for name in _names(place)]}) + b"\n"


def seal_of(content: bytes) -> list[dict[str, Any]]:
    """The entries of a ``_SUCCESS``; none of one that has no list.

    Raises:
        ValueError: it is damaged.
    """
    return list(parse_state(SUCCESS, content)["files"]) if content else []


def _names(place: RunPlace) -> Iterator[str]:
    for name in _FILES:
        if place.store.size(f"{FOLDER}/{name}") is not None:
            yield name
    for folder in _FOLDERS:
        names = (name for name in place.names(folder) if "/." not in name)
        yield from (name for name in names if place.store.size(f"{FOLDER}/{name}") is not None)


def _entry(place: RunPlace, name: str) -> dict[str, Any]:
    path, hasher, size = place.path / name, DocumentHasher(), 0
    with ExitStack() as stack:
        file: BinaryIO
        stack.enter_context(storage_errors(path, "read"))
        if path.exists():  # a copy of what is in a store, or the file itself
            file = stack.enter_context(path.open("rb"))
        else:
            file = stack.enter_context(place.store.open(f"{FOLDER}/{name}"))
        while block := file.read(_BLOCK):
            hasher.update(block)
            size += len(block)
    return {"name": name, "bytes": size, "checksum": hasher.hexdigest()}


def broken(place: RunPlace, entries: Iterable[dict[str, Any]]) -> list[str]:
    """Names of sealed files that are gone, or have another size."""
    size_of = place.store.size
    return [each["name"] for each in entries if size_of(f"{FOLDER}/{each['name']}") != each["bytes"]]
