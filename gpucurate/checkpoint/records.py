"""Reading commit records where they lie: by whoever does not own the run folder, and of whatever layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from gpucurate.checkpoint.log import parse_line
from gpucurate.checkpoint.store import FOLDER, Store
from gpucurate.spec.errors import StorageError

LOG = f"{FOLDER}/commit.log"
RECORDS = f"{FOLDER}/records/"
"""Of a store to which nothing can be appended: one object a record."""


ORDER = "order"
"""Of a record that is an object: its owner's epoch, and its number among those of that owner."""


def in_order(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records that were objects in the order in which they were appended, and as they were then."""
    ordered = sorted(records, key=lambda record: record.get(ORDER, [0, 0]))
    return [{key: value for key, value in record.items() if key != ORDER} for record in ordered]


def stored_records(store: Store, *, salvage: bool = False) -> Iterator[dict[str, Any]]:
    """The records of a run, up to a torn end of their log.

    Args:
        store: of the output.
        salvage: give what can be read of a damaged log, beyond the damage too.

    Raises:
        StorageError: not possible.
    """
    if all(name != LOG for name, _ in store.entries(LOG)):
        yield from in_order(_of_objects(store, salvage=salvage))
        return
    is_torn = False
    with store.open(LOG) as file:
        for number, line in enumerate(file, 1):
            record = parse_line(line)
            if record is None:
                is_torn = True
            elif is_torn and not salvage:
                raise StorageError(
                    f"{LOG} of {store.shown} is damaged before line {number}: not the end of a crash. Give "
                    "the command of the run again: it does again what the lines from there on told of"
                )
            else:
                yield record


def _of_objects(store: Store, *, salvage: bool) -> Iterator[dict[str, Any]]:
    for name, content in store.contents(RECORDS):
        try:
            yield orjson.loads(content)
        except orjson.JSONDecodeError as error:
            if not salvage:
                raise StorageError(
                    f"{name} of {store.shown} is damaged ({error}): remove it, and give the command of the "
                    "run again"
                ) from error
