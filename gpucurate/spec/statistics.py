"""What a stage did to a task, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

_COUNTERS = ("departures", "custom_metrics")


def no_counts() -> Counter[str]:
    """An empty counter. Its constructor looks for what to count, which takes ten times as long."""
    return Counter.__new__(Counter)


def counter_of(counts: dict[str, int] | None) -> Counter[str]:
    """A counter; of nothing without the work of making one of something."""
    return Counter(counts) if counts else no_counts()


@dataclass(slots=True)
class StagePerfStats:
    """Figures of one stage, over one task or summed over many.

    Attributes:
        stage_name: the stage.
        process_time: seconds in the stage's own code.
        actor_idle_time: seconds the worker waited before this stage had work.
        num_items_processed: documents given to the stage.
        num_items_out: documents it gave back.
        input_data_size_mb: megabytes (10**6 bytes) given to the stage.
        invocations: calls of ``process_batch``.
        host_to_device_bytes: bytes that it moved to a GPU.
        device_to_host_bytes: bytes that it moved back.
        gpu_peak_bytes: the most that the worker's GPU pool held while the stage ran.
        gpu_held_bytes: what it held when the stage ended last.
        host_growth_bytes: by how many the process grew while the stage ran, where that was measured; what a
            stage hands on counts too, until it is freed somewhere else.
        departures: what was done on the host that could have stayed on the GPU, by cause; rows or lines.
        custom_metrics: what the stage counted with ``self.count(name, n)``.
    """

    stage_name: str
    process_time: float = 0.0
    actor_idle_time: float = 0.0
    num_items_processed: int = 0
    num_items_out: int = 0
    input_data_size_mb: float = 0.0
    invocations: int = 0
    host_to_device_bytes: int = 0
    device_to_host_bytes: int = 0
    gpu_peak_bytes: int = 0
    gpu_held_bytes: int = 0
    host_growth_bytes: int = 0
    departures: Counter[str] = field(default_factory=no_counts)
    custom_metrics: Counter[str] = field(default_factory=no_counts)

    def __reduce__(self) -> Any:
        return _stats, (*_PLAIN(self), dict(self.departures) or None, dict(self.custom_metrics) or None)

    def add(self, other: StagePerfStats) -> None:
        """Add the figures of another call of the same stage, in place."""
        self.actor_idle_time += other.actor_idle_time
        self.num_items_processed += other.num_items_processed
        self.num_items_out += other.num_items_out
        self.input_data_size_mb += other.input_data_size_mb
        self.add_work(other)
        self.gpu_held_bytes = max(self.gpu_held_bytes, other.gpu_held_bytes)
        self.custom_metrics.update(other.custom_metrics)

    def add_work(self, other: StagePerfStats) -> None:
        """Add what calls took and moved, and not what went in and came out of them."""
        self.process_time += other.process_time
        self.invocations += other.invocations
        self.host_growth_bytes += other.host_growth_bytes
        self.host_to_device_bytes += other.host_to_device_bytes
        self.device_to_host_bytes += other.device_to_host_bytes
        self.gpu_peak_bytes = max(self.gpu_peak_bytes, other.gpu_peak_bytes)
        if other.departures:
            self.departures.update(other.departures)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        counts = {name: dict(sorted(getattr(self, name).items())) for name in _COUNTERS}
        return {**dict(zip(_PLAIN_NAMES, _PLAIN(self), strict=True)), **counts}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> StagePerfStats:
        """The figures that :meth:`to_dict` gave."""
        return cls(**{**values, **{name: counter_of(values.get(name)) for name in _COUNTERS}})


_PLAIN_NAMES = tuple(each.name for each in fields(StagePerfStats) if each.name not in _COUNTERS)
_PLAIN = attrgetter(*_PLAIN_NAMES)


def _stats(*values: Any) -> StagePerfStats:
    stats = StagePerfStats(*values[:-2])
    stats.departures, stats.custom_metrics = counter_of(values[-2]), counter_of(values[-1])
    return stats
