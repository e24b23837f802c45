"""Units on their way through Ray Data, once."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray.data

from gpucurate.backends.adapters.ray_data_step import Step, row
from gpucurate.backends.adapters.slot import Hello
from gpucurate.backends.worker_process import Work


@dataclass(frozen=True, slots=True)
class Crew:
    """The actors of one segment.

    Attributes:
        name: of its stages, for Ray's dashboard.
        hello: what they are to be.
        actors: how many.
        options: of Ray: cores, GPUs, ``runtime_env``.
    """

    name: str
    hello: Hello
    actors: int
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Over:
    """A pass has ended; ``error`` is None where every unit came out."""

    error: BaseException | None


@dataclass(slots=True)
class Pass:
    """A data set of units, and a thread that takes what comes out of it.

    Attributes:
        left: units that have not come out, by the scheduler's number of the worker they are given to.
        answers: what came: pairs of that number and pickled reports, and :class:`Over` in the end.
    """

    left: dict[int, Work]
    answers: queue.SimpleQueue[tuple[int, bytes] | Over] = field(default_factory=queue.SimpleQueue)

    def start(self, crews: Sequence[Crew], marks: str) -> None:
        """Begin."""
        dataset = data_set([row(worker, work) for worker, work in self.left.items()], crews, marks)
        threading.Thread(target=self._take, args=(dataset,), daemon=True).start()

    def _take(self, dataset: Any) -> None:
        error: BaseException | None = None
        try:
            for came in dataset.iter_rows():
                self.answers.put((came["worker"], came["reports"]))
        except Exception as raised:
            error = raised
        self.answers.put(Over(error))


def data_set(rows: list[dict[str, Any]], crews: Sequence[Crew], marks: str) -> Any:
    """Units through the actors of each segment; Ray repeats nothing."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    made = ray.data.from_items(rows, override_num_blocks=len(rows))
    for crew in crews:
        made = made.map_batches(
            _named(crew.name),
            fn_constructor_args=(crew.hello, marks),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=crew.actors),
            ray_remote_args_fn=_no_repeats,
            **crew.options,
        )
    return made


def _no_repeats() -> dict[str, int]:
    """What Ray is told beyond Ray Data's own settings, which repeat for ever."""
    return {"max_restarts": 0, "max_task_retries": 0}


def _named(name: str) -> Callable[..., Any]:
    """The actor's class under the name of the segment."""
    return type(name, (Step,), {})
