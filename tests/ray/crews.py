"""Stages that show where they run, and a backend that is driven by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.environment import Environment
from gpucurate.backends.ray.backend import RayBackend
from gpucurate.backends.ray.exchange import RayExchange
from gpucurate.spec.cluster import Need, Place
from gpucurate.spec.events import Dispatch, Order, SpawnWorker, UnitDone, WorkerReady
from gpucurate.spec.unit import Unit
from gpucurate.stages.base import ProcessingStage
from gpucurate.tasks.document import DocumentBatch

PATIENCE = 90.0


class Where(ProcessingStage):
    """Tells of its process."""

    def setup(self, worker_metadata: Any = None) -> None:
        self.told = worker_metadata

    def process(self, batch: DocumentBatch) -> DocumentBatch:
        import ray

        facts = {
            "pid": os.getpid(),
            "visible": os.environ.get("CUDA_VISIBLE_DEVICES", "unset"),
            "ids": ",".join(map(str, ray.get_gpu_ids())),
            "node": ray.get_runtime_context().get_node_id(),
            "python": os.path.realpath(os.environ.get("VIRTUAL_ENV_TOLD", "")),
            "mode": os.environ.get("MODE", ""),
            "threads": os.environ.get("OMP_NUM_THREADS", ""),
            "gpus": ",".join(self.told.gpus),
        }
        return batch.assign({name: [value] * batch.num_items for name, value in facts.items()})


class Same(ProcessingStage):
    """Hands on what it is given."""

    def process(self, batch: DocumentBatch) -> DocumentBatch:
        return batch


class Slow(ProcessingStage):
    """Takes its time, and says when it begins."""

    def __init__(self, folder: str, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds

    def process(self, batch: DocumentBatch) -> DocumentBatch:
        Path(self.folder, str(os.getpid())).touch()
        time.sleep(self.seconds)
        return batch


def batch(rows: int = 1, size: int = 10) -> DocumentBatch:
    return DocumentBatch("test", pd.DataFrame({"text": ["x" * size] * rows}))


def unit(number: int, given: DocumentBatch | None = None) -> Unit:
    payload = [given if given is not None else batch()]
    return Unit(f"unit-{number}", number, (), 1, payload=payload)


class Bench:
    """A backend, and what it has reported."""

    def __init__(
        self,
        *segments: Sequence[ProcessingStage],
        needs: Sequence[Need] = (),
        environments: Sequence[Environment | None] = (),
        folder: Path | None = None,
        **options: Any,
    ) -> None:
        last = len(segments) - 1
        work = [
            Assignment(
                "test", stages, folder, at == last, segment=at, is_first=at == 0, is_last=at == last,
                exchange=RayExchange(), first=sum(map(len, segments[:at])),
            )
            for at, stages in enumerate(segments)
        ]  # fmt: skip
        self.backend = RayBackend(
            work, needs or [Need()] * len(work), environments or [None] * len(work), **options
        )
        self.seen: list[Report] = []

    def spawn(self, worker: int, place: Place, segment: int = 0, **gang: Any) -> None:
        self.backend.spawn(SpawnWorker(worker, segment, place, **gang))

    def ready(self, worker: int, place: Place, segment: int = 0) -> None:
        self.spawn(worker, place, segment)
        self.until(lambda event: isinstance(event, WorkerReady) and event.worker == worker)

    def dispatch(self, worker: int, given: Unit, segment: int = 0, handed: Any = None, **order: Any) -> None:
        self.backend.dispatch(Dispatch(worker, given.id, segment, Order(**order)), given, handed)

    def until(self, wanted: Callable[[Any], bool], seconds: float = PATIENCE) -> Report:
        """The first report that is wanted, of those to come and those not asked for yet."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for report in self.seen:
                if wanted(report[0]):
                    self.seen.remove(report)
                    return report
            self.seen += self.backend.poll(0.05)
        raise AssertionError(f"what was waited for did not come; what did: {self.seen}")

    def event(self, kind: type, worker: int, seconds: float = PATIENCE) -> Any:
        return self.until(lambda e: isinstance(e, kind) and e.worker == worker, seconds)[0]

    def done(self, worker: int, given: Unit, segment: int = 0, handed: Any = None, **order: Any) -> Any:
        """The result of a unit that a worker does now."""
        self.dispatch(worker, given, segment, handed, **order)
        event, result = self.until(lambda e: getattr(e, "unit", None) == given.id and e.worker == worker)
        assert isinstance(event, UnitDone), event
        return result

    def facts(self, worker: int, number: int = 0, segment: int = 0) -> dict[str, Any]:
        """What :class:`Where` told of a worker's process."""
        task = self.done(worker, unit(number), segment).tasks[0]
        return dict(task.to_pandas().iloc[0])
