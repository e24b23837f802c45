"""The base of everything that flows between stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gpucurate.spec.statistics import StagePerfStats
from gpucurate.tasks.origin import Origin

T = TypeVar("T")


@dataclass
class Task(ABC, Generic[T]):
    """A unit of data with its history.

    Args:
        dataset_name: the data set it belongs to.
        data: the payload.
        task_id: a name for messages; outputs are named after ``origin``, not after this.
    """

    dataset_name: str
    data: T
    task_id: str = ""
    _stage_perf: list[StagePerfStats] = field(default_factory=list, repr=False)
    _metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    _origin: Origin | None = field(default=None, repr=False)

    @property
    @abstractmethod
    def num_items(self) -> int:
        """Documents, files or other items in the task."""

    @property
    def nbytes(self) -> int:
        """Bytes of the payload; 0 where that has no meaning."""
        return 0

    def validate(self) -> bool:
        """Whether the payload is of the declared kind."""
        return True

    def get_columns(self) -> list[str]:
        """Names of the payload's columns; empty where there are none."""
        return []

    def add_stage_perf(self, perf: StagePerfStats) -> None:
        """Append the figures of the stage that produced this task."""
        self._stage_perf.append(perf)
