"""Where a worker is stuck: the stacks of its threads, written by the process itself, whatever it waits for.

A signal is answered by ``faulthandler`` in C, so also from a blocking read, a sleep, or a call that holds
Python's lock. Names of files, lines and functions only: no values, and no text of documents.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from gpucurate.disk.files import open_private
from gpucurate.spec.storage import storage_errors

STACK_SIGNAL = signal.SIGUSR2

ANSWER_SECONDS = 1.0
"""A process may take so long to answer: one that is stopped, or waits for a disk, never does."""

_QUIET_SECONDS = 0.05


def stack_path(folder: Path, phase: str, worker: int) -> Path:
    """Where a worker writes its stacks.

    Args:
        folder: of attempts.
        phase: name of the plan.
        worker: its number, which is never used twice in a phase.
    """
    return folder / f"stack-{phase}-{worker}"


class StackFile:
    """While open, the signal makes this process write the stacks of all its threads to a file.

    Processes that it forks write there too.

    Args:
        path: of the file; None for a run that leaves nothing on disk.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        if path is not None:
            with storage_errors(path):
                self._file = open_private(path, "ab", 0)
            faulthandler.register(STACK_SIGNAL, self._file, all_threads=True)

    def close(self) -> None:
        """Remove the file: the worker ends well."""
        if self._path is not None and self._file is not None:
            faulthandler.unregister(STACK_SIGNAL)
            signal.signal(STACK_SIGNAL, signal.SIG_IGN)  # asked too late, it would end the process
            self._file.close()
            self._path.unlink(missing_ok=True)


def stacks_of(pid: int, path: Path) -> str:
    """The stacks of a worker and of what it has forked, and what other processes it has started.

    Args:
        pid: of the worker.
        path: its file.

    Returns:
        Text of several lines, which says so where a process gave no answer.
    """
    text = _asked(pid, path)
    below = _below(pid)
    for child in below:
        if _catches(child.pid):
            text += f"\nProcess {child.pid}, forked by the worker:\n{_asked(child.pid, path)}"
    if below:
        text += "\nProcesses that the worker has started:\n"
        text += "".join(f"  {_told(child)}\n" for child in below)
    return text


def innermost(text: str) -> str | None:
    """Where the main thread is, in a few words: ``File "x.py", line 3 in f``; None if that is not told."""
    threads = [block for block in text.split("\n\n") if "File " in block]
    main = next((block for block in threads if "in main" in block or "in <module>" in block), None)
    lines = (main or (threads[-1] if threads else "")).splitlines()
    return next((line.strip() for line in lines if line.strip().startswith("File ")), None)


def _asked(pid: int, path: Path) -> str:
    """What a process adds to its file."""
    before = _size(path)
    if not _catches(pid):
        return f"process {pid} answers no signal: it has not come so far, or its stages took the signal\n"
    with suppress(ProcessLookupError):
        os.kill(pid, STACK_SIGNAL)
    deadline = time.monotonic() + ANSWER_SECONDS
    size, since = before, time.monotonic()
    while time.monotonic() < deadline and (size == before or time.monotonic() - since < _QUIET_SECONDS):
        time.sleep(0.01)
        if (now := _size(path)) != size:
            size, since = now, time.monotonic()
    if size == before:
        return f"process {pid} gave no answer within {ANSWER_SECONDS:g} s: {_state(pid)}\n"
    with path.open("rb") as file:
        file.seek(before)
        return file.read().decode(errors="backslashreplace")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _catches(pid: int) -> bool:
    """Whether a process has a handler for the signal, which else would end it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (STACK_SIGNAL - 1) & 1)
    return False


def _below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _told(process: psutil.Process) -> str:
    try:
        times = process.cpu_times()
        spent = times.user + times.system
        return f"{process.pid} {process.name()}: {process.status()}, {spent:.1f} s of CPU"
    except psutil.Error:
        return f"{process.pid}: ended meanwhile"


def _state(pid: int) -> str:
    try:
        return f"it is {psutil.Process(pid).status()}"
    except psutil.Error:
        return "it has ended"
