"""What runs in a worker of Dask: slots of the scheduler's, by run and number."""

from __future__ import annotations

import os
import signal
from typing import Any

from gpucurate.backends.adapters.slot import Hello, Reports, Slot
from gpucurate.backends.worker_process import Work
from gpucurate.memory.gpus import gpu_sizes

_SLOTS: dict[tuple[str, int], Slot] = {}


def set_up(run: str, hello: Hello) -> Reports:
    """Set a slot up.

    Args:
        run: name of the run.
        hello: what the slot is to be.
    """
    slot = Slot(hello)
    reports = slot.set_up()
    if slot.is_ready:
        _SLOTS[run, hello.worker] = slot
    return reports


def run_work(run: str, worker: int, work: Work) -> Reports:
    """Run a unit."""
    return _SLOTS[run, worker].run(work)


def tear_down(run: str, worker: int) -> Reports:
    """Tear a slot down."""
    slot = _SLOTS.pop((run, worker), None)
    return slot.tear_down() if slot is not None else []


def end_child(dask_worker: Any) -> None:
    """For a nanny: kill its worker, whatever that is at; then it starts another."""
    os.kill(dask_worker.process.pid, signal.SIGKILL)


def end() -> None:
    """For a worker without a nanny: end this process."""
    os._exit(1)


def gpus() -> list[tuple[str, int]]:
    """The GPU that workers of this process use, with its bytes: the first it sees, as dask-cuda has it."""
    return list(gpu_sizes().items())[:1]
