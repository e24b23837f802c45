"""Reports of a worker to the driver, in the order of its units, each once its files are on disk."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle

from gpucurate.backends.base import Report
from gpucurate.backends.runner import failure_of
from gpucurate.backends.syncing import Unsynced
from gpucurate.disk.crash import reach
from gpucurate.spec.errors import GpucurateError
from gpucurate.spec.events import UnitFailed

REPORT_SECONDS = 0.005
"""A report waits so long for others while there is more to do."""

Packed = tuple[Any, bytes]
"""An event, and what belongs to it, pickled."""


@dataclass(slots=True)
class _Entry:
    report: Report
    unsynced: Unsynced | None
    since: float

    def is_due(self) -> bool:
        return self.unsynced is None or self.unsynced.is_settled()


class Reporter:
    """Sends reports from a thread, so that the worker goes on to the next unit while the disk syncs.

    The order is kept: whoever reads the reports takes the first unit that is missing for the oldest.

    Args:
        send: sends some, in order.
    """

    def __init__(self, send: Callable[[list[Packed]], None]) -> None:
        self._send = send
        self._entries: deque[_Entry] = deque()
        self._changed = threading.Condition()
        self._is_awaited = False
        threading.Thread(target=self._run, name="reports", daemon=True).start()

    def add(self, report: Report, unsynced: Unsynced | None = None) -> None:
        """Have a report sent, once what it tells of is synced; a failure to sync is reported in its place."""
        with self._changed:
            self._is_awaited = False
            self._entries.append(_Entry(report, unsynced, time.monotonic()))
            self._changed.notify_all()

    def hurry(self) -> None:
        """There is nothing more to do: let no report wait for others."""
        with self._changed:
            self._is_awaited = True
            self._changed.notify_all()

    def send(self, report: Report) -> None:
        """Send a report, and return when it and all before it are sent."""
        self.add(report)
        self.flush()

    def flush(self) -> None:
        """Wait until all is sent."""
        self.hurry()
        with self._changed:
            self._changed.wait_for(lambda: not self._entries)

    def _run(self) -> None:
        try:
            while True:
                self._send_some()
        except BaseException:  # the driver is gone, or there is no memory: nothing would be heard any more
            traceback.print_exc()
            os._exit(1)

    def _send_some(self) -> None:
        due = self._due()
        reports = [packed_report(settled(entry.report, entry.unsynced)) for entry in due]
        reach("worker.before_report")
        self._send(reports)
        reach("worker.after_report")
        with self._changed:
            for _ in due:
                self._entries.popleft()
            self._changed.notify_all()

    def _due(self) -> list[_Entry]:
        """The oldest entry, once it is synced and has waited long enough, and those after it that are."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._entries))
            first = self._entries[0]
        if first.unsynced is not None:
            first.unsynced.settle()
        with self._changed:
            left = first.since + REPORT_SECONDS - time.monotonic()
            self._changed.wait_for(lambda: self._is_awaited, max(0.0, left))
            entries = list(self._entries)
        count = next((at for at, entry in enumerate(entries) if not entry.is_due()), len(entries))
        return entries[:count]


def settled(report: Report, unsynced: Unsynced | None) -> Report:
    """The report once its files are on disk, or that one of them could not be synced."""
    if unsynced is None:
        return report
    event: Any = report[0]
    try:
        return event, unsynced.wait()
    except GpucurateError as error:
        return UnitFailed(event.worker, event.unit, *failure_of(error)), None


def packed_report(report: Report) -> Packed:
    """In two steps, so that a driver that cannot load the tasks still knows which unit it was."""
    event, result = report
    with contextlib.suppress(Exception):  # a class of the user's script is sent as it is written
        return event, pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    try:
        return event, cloudpickle.dumps(result)
    except Exception as error:
        why = f"the tasks of the unit cannot be sent to the driver: {failure_of(error)[1]}"
        return UnitFailed(event.worker, result.unit_id, "user", why), pickle.dumps(None)  # type: ignore[union-attr]
