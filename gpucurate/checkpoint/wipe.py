"""Removing what a run wrote, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from gpucurate.checkpoint.records import stored_records
from gpucurate.checkpoint.store import FOLDER, Store
from gpucurate.spec.names import decode_name

_KEPT = ("lock", "epoch", "epochs")
"""Of the run folder: who owns it now, and who did before."""

_FIRST, _LAST = "_SUCCESS", "run.json"


def wipe(store: Store) -> None:
    """Remove the files that a run recorded as its own, and its state.

    ``_SUCCESS`` goes first, so that nobody takes what is left for whole, and ``run.json`` last, so that what
    an interrupted removal leaves is still known for a run's. Files of the output that no record names stay.

    Args:
        store: of the output; this process owns its run folder.

    Raises:
        StorageError: not possible.
    """
    store.remove(f"{FOLDER}/{_FIRST}")
    for name in sorted(set(_recorded(store))):
        if not name.startswith(f"{FOLDER}/"):
            store.remove(name)
    state = sorted(name for name, _ in store.entries(f"{FOLDER}/"))
    for name in state:
        if name.split("/")[1] not in (*_KEPT, _LAST):
            store.remove(name)
    store.remove(f"{FOLDER}/{_LAST}")


def _recorded(store: Store) -> Iterator[str]:
    """Names of files that commit records and the manifest tell of, as far as they can be read."""
    for record in stored_records(store, salvage=True):
        yield from (decode_name(file[0]) for file in record["files"])
    manifest = _content(store, "manifest.json")
    try:
        yield from (decode_name(entry["name"]) for entry in orjson.loads(manifest or b"{}").get("files", ()))
    except ValueError:
        return  # a damaged one: what it listed, the log has too


def _content(store: Store, name: str) -> bytes:
    full = f"{FOLDER}/{name}"
    if store.size(full) is None:
        return b""
    with store.open(full) as file:
        return file.read()
