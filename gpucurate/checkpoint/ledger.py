"""Which commit records stand: the last word on every unit and on every file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gpucurate.checkpoint.store import FOLDER
from gpucurate.spec.errors import StorageError

Record = dict[str, Any]

_Key = tuple[str, str]


def gone_record(record: Record) -> Record:
    """A record that says of the unit of another one that it is no part of the run any more.

    It names the files, so that what was not removed before a crash is removed after it.
    """
    return {"k": "gone", **{key: record[key] for key in ("phase", "unit", "files")}}


class Ledger:
    """The records of a run folder.

    A record stands until another one says that its unit is gone, or a later one writes a file of the same
    name. In a store records have no order; there the one of a unit that is gone replaces what it had before.

    Args:
        records: all of them, in order if they have any.

    Raises:
        StorageError: one is not what a record should be.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._standing: dict[str, dict[str, Record]] = {}
        self._owners: dict[str, _Key] = {}
        self._lost: set[str] = set()
        for record in records:
            try:
                self.note(record)
            except (KeyError, IndexError, TypeError, AttributeError) as error:
                raise StorageError(
                    f"the commit log is damaged: it holds the record {str(record)[:60]}, which tells of no "
                    f"unit ({type(error).__name__}: {error}). Give --fresh to begin anew, or another output"
                ) from error

    def note(self, record: Record) -> None:
        """Enter a record."""
        if record["k"] == "done":
            self._enter((record["phase"], record["unit"]), record)
        elif record["k"] == "gone":
            self._void((record["phase"], record["unit"]))
            self._lost.update(file[0] for file in record["files"] if file[0] not in self._owners)

    def standing(self, phase: str) -> Mapping[str, Record]:
        """Records of a phase, by unit."""
        return self._standing.get(phase, {})

    def phases(self) -> list[str]:
        """Phases of which a record stands."""
        return [phase for phase, records in self._standing.items() if records]

    def writes_output(self, phase: str) -> bool:
        """Whether any record of a phase tells of a file of the output, rather than of the run folder."""
        records = self.standing(phase).values()
        return any(not file[0].startswith(f"{FOLDER}/") for record in records for file in record["files"])

    def take_lost(self) -> list[str]:
        """Encoded names of files that records told of which do not stand any more; each is told once."""
        lost, self._lost = sorted(self._lost), set()
        return lost

    def _enter(self, key: _Key, record: Record) -> None:
        self._void(key)
        for file in record["files"]:
            owner = self._owners.get(file[0])
            if owner is not None:
                self._void(owner)  # its file is another one by now
            self._owners[file[0]] = key
            self._lost.discard(file[0])
        self._standing.setdefault(key[0], {})[key[1]] = record

    def _void(self, key: _Key) -> None:
        record = self._standing.get(key[0], {}).pop(key[1], None)
        for file in record["files"] if record else ():
            if self._owners.get(file[0]) == key:
                del self._owners[file[0]]
                self._lost.add(file[0])
