"""The one seam by which tests kill a run at a named place.

``GPUCURATE_CRASH=POINT:N:COUNTER`` kills the process that is the N-th to reach POINT (from 1), by
SIGKILL; COUNTER is a file that all processes of the run count in, so that it happens once, whichever
process it is. With ``*`` for POINT nobody is killed, and COUNTER lists the points that were reached, one a
line. Without the variable, :func:`reach` does nothing. The method is that of SQLite's crash tests
(sqlite.org/testing.html).
"""

from __future__ import annotations

import fcntl
import os
import signal

from gpucurate.disk.crash_points import POINTS

VARIABLE = "GPUCURATE_CRASH"
EVERY = "*"


def reach(point: str) -> None:
    """A crash here must cost nothing but time.

    Args:
        point: a name of :data:`POINTS`.
    """
    if _armed is not None:
        _count(point, *_armed)


def arm(setting: str | None) -> None:
    """Set, or with None forget, at which point this process ends; for processes that tests fork.

    Raises:
        ValueError: not POINT:N:COUNTER, or no such point.
    """
    global _armed  # noqa: PLW0603 - the seam is the process's
    if setting is None:
        _armed = None
        return
    point, number, counter = setting.split(":", 2)
    if point != EVERY and point not in POINTS:
        raise ValueError(f"{VARIABLE}: there is no point {point!r}")
    _armed = point, int(number), counter


def _count(point: str, wanted: str, number: int, counter: str) -> None:
    if point not in POINTS:
        raise ValueError(f"the crash point {point!r} is not in the list of them")
    if wanted not in (point, EVERY):
        return
    descriptor = os.open(counter, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, f"{point}\n".encode())
        reached = os.fstat(descriptor).st_size // (len(point) + 1)
    finally:
        os.close(descriptor)
    if wanted != EVERY and reached == number:
        os.kill(os.getpid(), signal.SIGKILL)


_armed: tuple[str, int, str] | None = None
arm(os.environ.get(VARIABLE))
