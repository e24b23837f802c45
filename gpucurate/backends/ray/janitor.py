"""Ends what a killed driver leaves of its cluster: Ray's agents and workers go on for a minute or two.

A process of its own, of Python's standard library alone, that lives as long as the cluster.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

LOOK_SECONDS = 0.5
_OUTPUT, _TITLE = {"1", "2"}, "ray::"
_SWEEPS = 40
"""What ends may have started something meanwhile."""


def start_janitor(session: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Have a process watch over this one; to be killed where the cluster was ended without it.

    Args:
        session: Ray's folder of the cluster.
        folder: removed in the end.
    """
    arguments = [str(os.getpid()), str(session), str(folder)]
    program = [sys.executable, "-I", str(Path(__file__).resolve()), *arguments]
    return subprocess.Popen(program, stdin=subprocess.DEVNULL)


def main(driver: int, session: str, folder: str) -> None:
    """Wait for the end of the process that started this one; then end the cluster and remove its folder.

    Args:
        driver: its number: it may have ended before this one could ask.
        session: as of :func:`start_janitor`.
        folder: likewise.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are sent to whole groups; the driver decides
    while os.getppid() == driver:
        time.sleep(LOOK_SECONDS)
    sweep(session)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(session: str) -> None:
    """Kill every process of the cluster that has this session's folder."""
    for _ in range(_SWEEPS):
        pids = processes_of(session)
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK_SECONDS / 5)


def processes_of(session: str) -> list[int]:
    """Ids of the processes of a session: what writes to its logs, be it its output or as one of Ray's own.

    Drivers that had joined have logs there too, and are let be. An environment would tell more simply, had
    Ray not written new titles over it.
    """
    logs = f"{session}/logs/"
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _is_of(path, logs)]


def _is_of(process: Path, logs: str) -> bool:
    opened: dict[str, str] = {}
    title = ""
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        title = (process / "comm").read_text()
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                opened[descriptor.name] = str(descriptor.readlink())
    ours = {name for name, path in opened.items() if path.startswith(logs)}
    return bool(ours & _OUTPUT or (ours and title.startswith(_TITLE)))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
