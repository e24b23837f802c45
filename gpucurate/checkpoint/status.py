"""How far a run is, as anybody may ask who can read its folder."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from gpucurate.checkpoint.process_age import is_alive
from gpucurate.checkpoint.run_view import RunView
from gpucurate.checkpoint.store import FOLDER
from gpucurate.spec.books import Books

WINDOW_SECONDS = 60.0
"""The pace of a run is taken of so much of its recent past."""

_YEAR_10000 = 253_402_300_800
_EPOCHS = f"{FOLDER}/epochs/"


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that writes to a run folder, or did last.

    Attributes:
        host: its machine.
        pid: its number there.
        since: when it took the folder, seconds since 1970; None if that is not known.
        is_alive: whether it is there; None for another machine, of which nobody can tell.
    """

    host: str
    pid: int
    since: float | None
    is_alive: bool | None


@dataclass(frozen=True, slots=True)
class PhaseStatus:
    """How far a phase is.

    Attributes:
        name: of the phase.
        done: units that are final.
        units: all of them.
        bytes: of input that was read.
        total_bytes: of input of all units; None where an earlier version did not say.
        read: documents.
        rejected: of them.
        quarantined: units that were set aside.
        bytes_per_second: the pace of the last minute of work; None before there is one.
        last_commit: seconds since 1970; None before the first.
    """

    name: str
    done: int
    units: int
    bytes: int
    total_bytes: int | None
    read: int
    rejected: int
    quarantined: int
    bytes_per_second: float | None
    last_commit: float | None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        return self.done + self.quarantined >= self.units

    @property
    def eta_seconds(self) -> float | None:
        """How long the rest of the phase takes at the pace of late."""
        if self.is_over or not self.bytes_per_second or self.total_bytes is None:
            return None
        return max(0, self.total_bytes - self.bytes) / self.bytes_per_second


@dataclass(frozen=True, slots=True)
class Status:
    """How far a run is.

    Attributes:
        output: as it was named.
        kind: of run.
        state: ``finished``, ``running``, ``interrupted``; ``unknown`` where its owner is elsewhere.
        owner: who writes to it, or did last.
        phases: those that have begun.
    """

    output: str
    kind: str
    state: str
    owner: Owner | None
    phases: Sequence[PhaseStatus]

    @property
    def phase(self) -> PhaseStatus | None:
        """The phase that is going on, or was the last one."""
        left = [phase for phase in self.phases if not phase.is_over]
        return left[0] if left else self.phases[-1] if self.phases else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        phases = [{**asdict(phase), "eta_seconds": phase.eta_seconds} for phase in self.phases]
        return {**asdict(self), "phase": self.phase.name if self.phase else None, "phases": phases}


def status(run: RunView) -> Status:
    """How far a run is. Nothing is locked, and nothing is written.

    Raises:
        StorageError: state that cannot be read.
    """
    owner = _owner(run)
    alive = owner.is_alive if owner else False
    state = "finished" if run.is_finished else {True: "running", False: "interrupted", None: "unknown"}[alive]
    phases = [_phase(run, name, stored) for name, stored in run.phases.items()]
    return Status(run.store.shown, run.run["kind"], state, owner, phases)


def _phase(run: RunView, name: str, stored: Mapping[str, Any]) -> PhaseStatus:
    records = list(run.ledger.standing(name).values())
    books = Books()
    for record in records:
        books.add(Books.from_dict(record["books"]))
    times = [(record["at"], record["input_bytes"]) for record in records if "at" in record]
    aside = [entry for entry in run.quarantined if entry.rpartition("/")[2].startswith(f"{name}-")]
    return PhaseStatus(
        name,
        len(records),
        stored["units"],
        sum(record["input_bytes"] for record in records),
        stored.get("bytes"),
        books.read,
        books.total_rejected,
        len(aside),
        pace(times),
        max((at for at, _ in times), default=None),
    )


def pace(commits: Sequence[tuple[float, int]]) -> float | None:
    """Bytes a second over the last minute of commits; None of fewer than two moments.

    Args:
        commits: (seconds since 1970, bytes) of each.
    """
    if not commits:
        return None
    last = max(at for at, _ in commits)
    recent = [(at, size) for at, size in commits if at >= last - WINDOW_SECONDS]
    first = min(at for at, _ in recent)
    if last <= first:
        return None
    return sum(size for at, size in recent if at > first) / (last - first)


def _owner(run: RunView) -> Owner | None:
    epochs = sorted((name for name, _ in run.store.entries(_EPOCHS)), key=lambda name: (len(name), name))
    if not epochs and _says_nothing(run.store.content(f"{FOLDER}/lock")):
        return None
    values = run.read_json(epochs[-1].removeprefix(f"{FOLDER}/") if epochs else "lock")
    if not isinstance(values, dict) or not {"host", "pid"} <= values.keys():
        return None
    since = values.get("since")
    is_moment = isinstance(since, int | float) and 0 <= since < _YEAR_10000
    return Owner(values["host"], values["pid"], since if is_moment else None, _is_alive(values))


def _says_nothing(lock: bytes | None) -> bool:
    """Whether there is no lock, or one of which lost power or a full disk left no more than its name."""
    return lock is None or not lock.strip(b"\0")


def _is_alive(owner: Mapping[str, Any]) -> bool | None:
    """Whether it is still the process that took the folder: numbers are given out again."""
    if owner.get("is_over"):
        return False
    since = owner.get("since")
    if "boot" in owner or since is None or owner["host"] != socket.gethostname():
        return is_alive(owner)
    try:  # of an earlier version, in a folder
        return bool(psutil.Process(owner["pid"]).create_time() <= since + 1.0)
    except (psutil.NoSuchProcess, ValueError, OverflowError):  # the last two: no number of a process
        return False


def age(moment: float) -> float:
    """Seconds since a moment; never negative, whatever was done to the clock."""
    return max(0.0, time.time() - moment)
