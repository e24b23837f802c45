"""Reading commit records where they lie: by whoever does not own the run folder, and of whatever layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from gpucurate.checkpoint.log import parse_line
from gpucurate.checkpoint.store import FOLDER, Store

LOG = f"{FOLDER}/commit.log"
RECORDS = f"{FOLDER}/records/"
"""Of a store to which nothing can be appended: one object a record."""


def stored_records(store: Store, *, salvage: bool = False) -> Iterator[dict[str, Any]]:
    """The records of a run, up to a torn end of their log.

    Args:
        store: of the output.
        salvage: give what can be read of a damaged log, beyond the damage too.

    Raises:
        StorageError: not possible.
    """
    if store.size(LOG) is None:
        yield from _of_objects(store, salvage=salvage)
        return
    with store.open(LOG) as file:
        for line in file:
            record = parse_line(line)
            if record is not None:
                yield record
            elif not salvage:
                return


def _of_objects(store: Store, *, salvage: bool) -> Iterator[dict[str, Any]]:
    for name, _ in store.entries(RECORDS):
        with store.open(name) as file:
            content = file.read()
        try:
            yield orjson.loads(content)
        except orjson.JSONDecodeError:
            if not salvage:
                return
