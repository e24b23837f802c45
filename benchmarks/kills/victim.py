"""A program that is killed at a random moment, with all its processes, and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.kills.folder import Found, done_again, look
from benchmarks.peers.processes import ROOT

MOST_RERUNS = 3
MOST_SECONDS = 600.0
DEAD_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Victim:
    """A program and how it is started.

    Attributes:
        title: for the table.
        python: interpreter; None where the program could not be installed.
        module: takes INPUT OUTPUT CORES and ``arguments``.
        arguments: after them.
        remark: how it goes on after a kill, or why it could not be run.
    """

    title: str
    python: Path | None
    module: str
    arguments: tuple[str, ...]
    remark: str

    def command(self, source: Path, target: Path, cores: int) -> list[str]:
        """The command line."""
        return [str(self.python), "-m", self.module, str(source), str(target), str(cores), *self.arguments]


@dataclass(frozen=True, slots=True)
class Trial:
    """One kill and what came of it.

    Attributes:
        was_running: whether the program was still there when it was to be killed.
        killed: the folder right after the kill.
        ended: the folder after the last rerun.
        codes: exit codes of the reruns; more than one where they failed.
        again: share of documents in whole files that was written again; None without such files.
        seconds: of the reruns.
    """

    was_running: bool
    killed: Found
    ended: Found
    codes: tuple[int, ...]
    again: float | None
    seconds: float


def start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the process, its group and all that descend from it, wherever they have gone."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(family, timeout=DEAD_SECONDS)
    process.wait()


def clean_seconds(victim: Victim, source: Path, folder: Path, cores: int) -> float:
    """Seconds of a run that nobody disturbs.

    Raises:
        RuntimeError: it failed; the message carries the end of what it printed.
    """
    seconds = []
    for _ in range(2):  # the first one may compile
        target, log = _fresh(folder)
        began = time.monotonic()
        process = start(victim.command(source, target, cores), log)
        if _wait(process):
            raise RuntimeError(f"{victim.title} ended with {process.returncode}: {_last_line(log)}")
        seconds.append(time.monotonic() - began)
    return min(seconds)


def trial(victim: Victim, source: Path, folder: Path, *, cores: int, after: float) -> Trial:
    """Kill a run after some seconds, and start it again until it ends well."""
    target, log = _fresh(folder)
    command = victim.command(source, target, cores)
    process = start(command, log)
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
    was_running = process.poll() is None
    kill(process)
    killed, codes = look(target), []
    began = time.monotonic()
    while len(codes) < MOST_RERUNS and (not codes or codes[-1]):
        codes.append(_wait(start(command, log)))
    seconds = time.monotonic() - began
    ended = look(target)
    return Trial(was_running, killed, ended, tuple(codes), done_again(killed, ended), seconds)


def _wait(process: subprocess.Popen[bytes]) -> int:
    """The exit code; what does not end is killed."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(MOST_SECONDS)
    kill(process)
    return -signal.SIGKILL


def _fresh(folder: Path) -> tuple[Path, Path]:
    """An output that is not there yet, in a folder of its own, and a file for what is printed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder / "out", Path(tempfile.mkstemp(dir=folder, suffix=".log")[1])


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"
