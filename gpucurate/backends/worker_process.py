"""A worker in a process of its own: ``python -m gpucurate.backends.worker_process FD``.

Messages come and go through one socket, pickled. The process ends at once when the
socket does, so that no worker outlives its driver.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle

from gpucurate.backends.runner import Runner, failure_of
from gpucurate.spec.events import SetupFailed, UnitDone, UnitFailed, WorkerReady


def main() -> None:
    """Read the assignment, set up, run units until told to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides when to stop
    os.dup2(2, 1)  # what stages print must not mix with what the command prints
    connection = Connection(int(sys.argv[1]))
    worker, path, payload = connection.recv()
    sys.path[:] = path
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, messages), daemon=True).start()
    runner = Runner(cloudpickle.loads(payload), worker)
    try:
        _serve(runner, connection, messages)
    finally:
        runner.teardown()


def _listen(connection: Connection, messages: queue.SimpleQueue[Any]) -> None:
    """Hand messages on; a socket that closes means that the driver is gone."""
    while True:
        try:
            messages.put(connection.recv())
        except (EOFError, OSError):
            os._exit(1)


def _serve(runner: Runner, connection: Connection, messages: queue.SimpleQueue[Any]) -> None:
    try:
        runner.setup()
    except Exception as error:
        _send(connection, (SetupFailed(runner.worker, *failure_of(error)), None))
        return
    _send(connection, (WorkerReady(runner.worker), None))
    while (message := messages.get()) is not None:
        unit, attempt = message
        try:
            result = runner.run(unit, attempt)
        except Exception as error:
            _send(connection, (UnitFailed(runner.worker, unit.id, *failure_of(error)), None))
        else:
            _send(connection, (UnitDone(runner.worker, unit.id), result))


def _send(connection: Connection, report: Any) -> None:
    connection.send_bytes(cloudpickle.dumps(report))


if __name__ == "__main__":
    main()
