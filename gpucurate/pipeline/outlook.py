"""What is known of a run before it starts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from gpucurate.pipeline.explain import explain
from gpucurate.planning.layout import Layout
from gpucurate.planning.prediction import Prediction, Volume
from gpucurate.spec.plan import Plan, Segment


@dataclass(frozen=True, slots=True)
class Outlook:
    """A plan, its places, and what comes of them.

    Attributes:
        name: of the pipeline.
        plan: what runs.
        layout: where.
        volume: what enters.
        prediction: what it moves, holds and takes.
        measured_bytes: input of the run that times are taken from; None without one.
        simulated_s: seconds of the run in the simulator, by the scheduler itself; None where it was not run.
        held: what checkpoints hold of it already, in sentences.
    """

    name: str
    plan: Plan
    layout: Layout
    volume: Volume
    prediction: Prediction
    measured_bytes: int | None = None
    simulated_s: float | None = None
    held: tuple[str, ...] = ()

    def __str__(self) -> str:
        return explain(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: bytes and seconds."""
        return {
            "name": self.name,
            "fingerprint": self.plan.fingerprint,
            "input_bytes": self.volume.input_bytes,
            "decoded_bytes": self.volume.decoded_bytes,
            "units": self.volume.units,
            "machines": len(self.layout.nodes),
            "phases": [list(phase) for phase in self.layout.phases],
            "segments": [self._segment(segment) for segment in self.plan.segments],
            "measured_input_bytes": self.measured_bytes,
            "simulated_seconds": self.simulated_s,
            "checkpoints": list(self.held),
            **self.prediction.to_dict(),
        }

    def _segment(self, segment: Segment) -> dict[str, Any]:
        places = self.layout.places[segment.index]
        return {
            "stages": [stage.name for stage in segment.stages],
            "device": segment.device,
            "cut": segment.cut,
            "fused": list(segment.fused),
            "cpus": segment.resources.cpus,
            "gpus": segment.resources.gpus,
            "gpu_memory_gb": segment.resources.gpu_memory_gb,
            "batch_bytes": segment.batch_bytes,
            "splittable": segment.splittable,
            "gang": segment.gang,
            "environment": sorted(segment.environment or {}),  # values may be secrets
            "workers": len(places),
            "workers_by_machine": dict(sorted(Counter(place.node for place in places).items())),
            "gpus_used": self.layout.gpus(segment.index),
        }
