"""The commit log in a store: one object a record, since nothing can be appended to."""

from __future__ import annotations

from typing import Any

import orjson

from gpucurate.checkpoint.at_once import at_once
from gpucurate.checkpoint.log import GROUP_RECORDS
from gpucurate.checkpoint.object_store import ObjectStore
from gpucurate.checkpoint.records import ORDER, RECORDS, in_order
from gpucurate.disk.crash import reach
from gpucurate.spec.errors import StorageError


class StoreLog:
    """Records of what is done, as :class:`~gpucurate.checkpoint.log.CommitLog` keeps them on a disk.

    A record is put on the condition that there is none of its unit. One that was there when the log was
    opened, and whose unit was done again since its files were gone, is replaced on the condition that it
    is still the same. Each says of which epoch it is, and the how-manieth: that is the order of the log.

    Args:
        store: of the output.
        epoch: of the owner.

    Raises:
        StorageError: it cannot be read, or a record is damaged.
    """

    def __init__(self, store: ObjectStore, epoch: int) -> None:
        self._store = store
        self._epoch = epoch
        self._appended = 0
        with store._errors(RECORDS, "list"):
            found = list(store.listing(RECORDS))
        self._tags = {name: tag for name, _, tag in found}
        self.records: list[dict[str, Any]] = in_order(
            at_once(self._read, [(name, size) for name, size, _ in found])
        )
        self._waiting: dict[str, bytes] = {}

    def _read(self, found: tuple[str, int]) -> dict[str, Any]:
        name, size = found
        try:
            record: dict[str, Any] = orjson.loads(self._store.read(name, 0, size))
        except ValueError as error:
            raise StorageError(f"{self._store.shown}/{name} is damaged ({error}): remove it") from error
        return record

    def append(self, record: dict[str, Any]) -> None:
        """Add a record; it is durable after :meth:`sync`, at the latest after 64 of them."""
        self.records.append(record)
        self._appended += 1
        content = orjson.dumps({**record, ORDER: [self._epoch, self._appended]})
        self._waiting[f"{RECORDS}{record['phase']}/{record['unit']}.json"] = content
        if len(self._waiting) >= GROUP_RECORDS:
            self.sync()

    def flush(self) -> None:
        """Put all records, which makes them durable too."""
        self.sync()

    def sync(self) -> None:
        """Make all records durable, many at a time.

        Raises:
            StorageError: not possible, or somebody else has recorded the unit.
        """
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            self._store.check_owner()
            at_once(lambda entry: self._put(*entry), waiting.items())

    def _put(self, name: str, content: bytes) -> None:
        reach("record.before_put")
        if name in self._tags:
            self._tags[name] = self._store.replace(name, content, self._tags[name])
        elif self._store.create(name, content) or self._there(name) == content:
            self._tags[name] = None  # our own: what comes after it replaces it
        else:
            raise StorageError(
                f"{self._store.shown}/{name} was written by another run meanwhile: "
                "two runs write to this output; let one of them end, and run the command again"
            )
        reach("record.after_put")

    def _there(self, name: str) -> bytes:
        """What is in the place of a record: our own, if the answer to the put was lost."""
        size = next((size for found, size in self._store.entries(name) if found == name), 0)
        return self._store.read(name, 0, size)

    def close(self) -> None:
        """Sync."""
        self.sync()
