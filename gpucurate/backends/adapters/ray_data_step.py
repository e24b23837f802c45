"""What runs in an actor of Ray Data: one segment, a unit a row."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from gpucurate.backends.adapters.slot import Hello, Reports, Slot
from gpucurate.backends.packing import Packed
from gpucurate.backends.ray.exchange import Parcel, RayExchange
from gpucurate.backends.worker_process import Work
from gpucurate.spec.events import UnitDone

COLUMNS = pa.schema(
    [
        ("worker", pa.int64()),
        ("work", pa.large_binary()),
        ("reports", pa.large_binary()),
        ("index", pa.large_binary()),
        ("parcel", pa.large_binary()),
    ]
)
"""A unit on its way: number of the scheduler's worker, what is to be done, what segments have reported, and
what the last of them made."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A file that is there while an actor is at a unit, so that a death tells whose.

    Attributes:
        path: of the file.
    """

    path: Path

    def put(self, node: str) -> None:
        """Note the process and its node."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(f"{os.getpid()} {node}")

    def remove(self) -> None:
        """The unit is through."""
        self.path.unlink(missing_ok=True)

    def read(self) -> tuple[int, str] | None:
        """The process and its node; None if none is at the unit."""
        try:
            pid, _, node = self.path.read_text().partition(" ")
        except FileNotFoundError:
            return None
        return (int(pid), node) if pid else None


def mark_of(folder: Path, worker: int) -> Mark:
    """The mark of a unit that the scheduler gave to a worker, whose number comes once."""
    return Mark(folder / f"at-{worker}")


def row(worker: int, work: Work) -> dict[str, Any]:
    """A unit before the first segment."""
    return {"worker": worker, "work": pickle.dumps(work), "reports": b"", "index": b"", "parcel": b""}


class Step:
    """An actor. A setup that fails is reported by the units that come.

    Args:
        hello: what to become; units bring the numbers of workers.
        marks: folder of the marks.
    """

    def __init__(self, hello: Hello, marks: str) -> None:
        import ray

        self._slot = Slot(hello)
        self._failure = [] if (reports := self._slot.set_up()) and self._slot.is_ready else reports
        self._marks = Path(marks)
        self._node = ray.get_runtime_context().get_node_id()

    def __call__(self, table: pa.Table) -> pa.Table:
        """Take units one segment further; what an earlier one did not finish goes by."""
        rows = [self._pass(row) for row in _rows(table)]
        return pa.table({name: [row[name] for row in rows] for name in COLUMNS.names}, schema=COLUMNS)

    def _pass(self, row: dict[str, Any]) -> dict[str, Any]:
        before: Reports = pickle.loads(row["reports"]) if row["reports"] else []
        if before and not isinstance(before[-1][0], UnitDone):
            return row
        mark = mark_of(self._marks, row["worker"])
        mark.put(self._node)
        reports = self._failure or self._run(row, before)
        exchange = self._slot.exchange
        made = exchange.take() if isinstance(exchange, RayExchange) else None
        mark.remove()
        row["reports"] = pickle.dumps([*before, *reports])
        row["index"] = b"" if made is None else pickle.dumps([tuple(packed) for packed in made[0]])
        row["parcel"] = b"" if made is None else made[1].to_pybytes()
        return row

    def _run(self, row: dict[str, Any], before: Reports) -> Reports:
        unit, order, packed, _ = pickle.loads(row["work"])
        given: Parcel | None = None
        if before:
            index = [Packed(*entry) for entry in pickle.loads(row["index"])]
            given = index, pa.py_buffer(row["parcel"])
        return self._slot.run((unit, order, packed, given), worker=row["worker"])


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return table.to_pylist()  # type: ignore[no-any-return]
