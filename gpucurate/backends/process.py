"""Worker processes, and those of them that wait for other stages."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import Protocol

from gpucurate.backends.channel import Channel
from gpucurate.backends.environment import Environment
from gpucurate.backends.fork_server import ForkServer, fork_server, worker_environment


class Parent(Protocol):
    """What a worker was started by, and knows how it ends."""

    def wait(self, pid: int, timeout: float) -> int | None:
        """Its exit code, negative for a signal; None if it runs on for ``timeout`` seconds."""


class Started:
    """A process that was started and not forked: it has an environment of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def wait(self, pid: int, timeout: float) -> int | None:
        """Its exit code; None if it runs on."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


@dataclass(slots=True)
class WorkerProcess:
    """A process and the socket to it.

    Attributes:
        parent: what it was started by, and knows how it ends.
        pid: its process id; it leads a group of its own.
        channel: messages go and come through it.
        handle: can be read from once the process has ended, whoever else holds its end of the socket,
            such as a process that a stage has forked; None where the system offers nothing of the kind.
        gpu: names of the GPUs that it sees; None for none.
        environment: its own, None if it has the run's.
        deadline: when it must have stopped, if it was told to.
        exit_code: how it ended, once that was asked for; negative for a signal.
    """

    parent: Parent
    pid: int
    channel: Channel
    handle: int | None = None
    gpu: str | None = None
    environment: Environment | None = None
    deadline: float | None = None
    exit_code: int | None = None

    def is_late(self) -> bool:
        """Whether it should have stopped by now."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self.wait(0) is not None

    def wait(self, timeout: float) -> int | None:
        """Its exit code, once it has ended; None after ``timeout`` seconds."""
        if self.exit_code is None:
            self.exit_code = self.parent.wait(self.pid, timeout)
        return self.exit_code

    def kill(self) -> None:
        """Kill the worker and what its stages have started."""
        if self.exit_code is not None:
            return  # it was waited for, and its number may be another's by now
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def end(self, patience: float = 0.0) -> None:
        """Close the socket, kill the worker and what its stages have started, and wait.

        Args:
            patience: seconds that the worker has to end by itself.
        """
        self._await_end(patience)
        self.kill()
        self.channel.close()
        while self.wait(1.0) is None:  # it may be writing to a disk that is slow
            pass
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def _await_end(self, patience: float) -> None:
        """Wait till it has ended, where possible without forgetting its number, which names its group too."""
        if self.handle is None:
            self.wait(patience)
            return
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        poll.poll(patience * 1000)


class WorkerPool:
    """Where worker processes come from: forked, or kept from the last phase with all that they loaded.

    Args:
        keeps: whether to keep any: a process has all that has ever leaked in it, so where workers are
            replaced for their age or growth each is to be fresh.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self._keeps = keeps
        self._idle: list[WorkerProcess] = []
        self._servers: list[ForkServer] = []

    def take(self, gpu: str | None = None, environment: Environment | None = None) -> WorkerProcess:
        """A process that waits, or a fresh one; one that sees these GPUs, or none.

        Raises:
            OSError: none could be started.
        """
        waiting = [held for held in self._idle if (held.gpu, held.environment) == (gpu, environment)]
        while waiting:
            held = waiting.pop()
            self._idle.remove(held)
            if not held.has_ended():
                return held
            held.end()
        return self._start(gpu, environment)

    def _start(self, gpu: str | None, environment: Environment | None) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        parent: Parent
        try:
            with theirs:
                if environment is None:
                    parent, pid = self._fork(theirs.fileno())
                else:
                    parent, pid = _popen(theirs.fileno(), environment)
        except OSError:
            ours.close()
            raise
        return WorkerProcess(parent, pid, Channel(ours), _handle_of(pid), gpu, environment)

    def _fork(self, descriptor: int) -> tuple[ForkServer, int]:
        if self._servers:
            with contextlib.suppress(ConnectionError):  # it was killed: another takes its place
                return self._servers[-1], self._servers[-1].fork(descriptor)
        self._servers.append(fork_server())
        return self._servers[-1], self._servers[-1].fork(descriptor)

    def give(self, held: WorkerProcess) -> None:
        """Take a process back that has torn its stages down."""
        if not self._keeps:
            held.end()
            return
        held.deadline = None
        self._idle.append(held)

    def close(self) -> None:
        """End the processes that wait, and those that fork."""
        while self._idle:
            self._idle.pop().end()
        while self._servers:
            self._servers.pop().close()


def _handle_of(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        return None


def _popen(descriptor: int, environment: Environment) -> tuple[Started, int]:
    process = subprocess.Popen(
        environment.command(descriptor),
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=2,  # what stages print must not mix with what the command prints
        start_new_session=True,  # Ctrl-C goes to the driver alone
        env={**worker_environment(), **dict(environment.variables)},
    )
    return Started(process), process.pid
