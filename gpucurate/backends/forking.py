"""A process that loads what workers need and forks them: the end of :class:`ForkServer`.

It has one thread, and runs nothing of the user's, so that a fork of it is a sound process.
A worker gets an end of a socket to the driver, and leads a group of processes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import struct
from typing import NoReturn

BOOTSTRAP = (
    "import sys; fd, *sys.path = sys.argv[1:]; from gpucurate.backends.forking import main; main(int(fd))"
)
"""Its program: arguments are the socket and the driver's ``sys.path``, which must be there
before the first import: a module of the current folder would else hide one of Python's."""

REQUEST, ANSWER = struct.Struct("<cq"), struct.Struct("<q")
FORK, EXIT = b"f", b"x"
RUNNING = 1 << 40

_LOADED = (
    "gpucurate.backends.worker_process",
    "gpucurate.io.jsonl.reader",
    "gpucurate.io.jsonl.sink",
    "gpucurate.stages.deduplication.keys",
    "gpucurate.stages.deduplication.removal",
    "gpucurate.stages.text.io.reader",
    "gpucurate.stages.text.io.writer",
)


def main(descriptor: int) -> None:
    """Load, then fork a worker or tell how one ended, as the driver asks; end with the driver.

    Args:
        descriptor: of the socket to the driver.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # The driver decides when to stop, also where a whole process group is signalled.
        # Not SIG_IGN, which programs that a stage starts would inherit.
        signal.signal(number, lambda *_: None)
    with contextlib.suppress(OSError):  # no standard error: then there is nowhere to print to
        os.dup2(2, 1)  # what stages print must not mix with what the command prints
    driver = socket.socket(fileno=descriptor)
    _load()
    workers: set[int] = set()
    with contextlib.suppress(ConnectionError):  # a driver that was killed before it had its answer
        _serve(driver, workers)
    _end_all(workers)


def _serve(driver: socket.socket, workers: set[int]) -> None:
    """Answer the driver until it is gone, and keep ``workers`` at those that live."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(driver, REQUEST.size, 1)
        if not request:
            return
        kind, pid = REQUEST.unpack(request)
        if kind == FORK:
            answer = _fork(driver, descriptors[0])
            workers.add(answer)
        elif (answer := _exit_code(pid)) != RUNNING:
            workers.discard(pid)
        driver.sendall(ANSWER.pack(answer))


def _end_all(workers: set[int]) -> NoReturn:
    """The driver is gone: so are its workers, those included that are stopped or listen to nobody."""
    for pid in workers:
        if pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
    os._exit(0)


def _load() -> None:
    """Import, and load kernels if they lie compiled on disk: who compiles them is the driver."""
    gc.disable()  # all of it is here to stay
    for name in _LOADED:
        importlib.import_module(name)
    from gpucurate.io.warm_up import warm_up as warm_up_io
    from gpucurate.ops.warm_up import is_warm, warm_up

    if is_warm():
        warm_up()
        warm_up_io()
    gc.freeze()  # so that a collection in a worker leaves pages shared that it need not look at
    gc.enable()


def _fork(driver: socket.socket, descriptor: int) -> int:
    """The id of a new worker, or less than 0: an error number."""
    try:
        pid = os.fork()
    except OSError as error:
        pid = -(error.errno or 1)
    if pid == 0:
        driver.close()
        _become_worker(descriptor)
    os.close(descriptor)
    _lead_group(pid)
    return pid


def _lead_group(pid: int) -> None:
    """Put a worker into a group of its own, so that what its stages start can be ended with it.

    Worker and server both see to it, so that it is true for both from their next step on.
    """
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)


def _become_worker(descriptor: int) -> None:
    """Run a worker and end the process, whatever happens."""
    from gpucurate.backends.worker_process import main as work

    code = 1
    try:
        _lead_group(os.getpid())
        work(descriptor)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            _flush()
        os._exit(code)


def _flush() -> None:
    import sys

    sys.stdout.flush()
    sys.stderr.flush()


def _exit_code(pid: int) -> int:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else RUNNING
