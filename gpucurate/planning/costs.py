"""What stages cost, as an earlier run measured it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.stage import StageSpec
from gpucurate.spec.statistics import StagePerfStats

MB = 10**6


@dataclass(frozen=True, slots=True)
class StageCost:
    """One stage in an earlier run.

    Attributes:
        seconds_per_mb: of its own code, in one worker, for 10**6 bytes given to it.
        expansion: bytes given to the next stage for each byte; None where there was no next one.
        on_gpu: whether it ran on a GPU.
        gpu_peak_bytes: the most that its worker's pool held.
    """

    seconds_per_mb: float
    expansion: float | None
    on_gpu: bool
    gpu_peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """The stages of an earlier run.

    Attributes:
        stages: figures by the stage's name, in order where several have one name.
        input_bytes: what they were measured over.
    """

    stages: Mapping[str, tuple[StageCost, ...]]
    input_bytes: int

    @classmethod
    def from_report(cls, report: Mapping[str, Any]) -> Costs:
        """Costs from a report's plain values (``report.json``).

        Raises:
            ConfigurationError: not a report, or one of a run in which no stage did anything.
        """
        try:
            found: dict[str, list[StageCost]] = {}
            phases = list(report["phases"])
            written = int(report["output_bytes"]) if len(phases) == 1 else 0
            for phase in phases:
                stats = [StagePerfStats.from_dict(entry) for entry in phase["stages"]]
                for name, cost in _costs(stats, int(phase["input_bytes"]), written):
                    found.setdefault(name, []).append(cost)
            total = max((int(phase["input_bytes"]) for phase in phases), default=0)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                f"this is not the report of a run ({type(error).__name__}: {error}): "
                "give the report.json of a finished run"
            ) from error
        if not found:
            raise ConfigurationError(
                "no stage of the report was given anything: give the report.json of a run that did work"
            )
        return cls({name: tuple(costs) for name, costs in found.items()}, total)

    def of_chain(self, stages: Sequence[StageSpec], devices: Sequence[Device]) -> list[StageCost | None]:
        """The cost of each stage; None where it was not measured, or on another device."""
        seen: dict[str, int] = {}
        chain: list[StageCost | None] = []
        for stage, device in zip(stages, devices, strict=True):
            measured = self.stages.get(stage.name, ())
            at = seen[stage.name] = seen.get(stage.name, -1) + 1
            cost = measured[at] if at < len(measured) else None
            chain.append(cost if cost is not None and cost.on_gpu == (device == "cuda") else None)
        return chain


def _costs(stats: Sequence[StagePerfStats], read: int, written: int) -> list[tuple[str, StageCost]]:
    """A reader is given names of files: what it read counts; of the last stage, what it wrote."""
    given = [s.input_data_size_mb * MB for s in stats]
    if not given:
        return []  # a phase of the driver's own
    if not given[0]:
        given[0] = read
    made = [*given[1:], written]
    return [
        (
            s.stage_name,
            StageCost(
                s.process_time / (taken / MB),
                out / taken if out else None,
                s.gpu_peak_bytes > 0,
                s.gpu_peak_bytes,
            ),
        )
        for s, taken, out in zip(stats, given, made, strict=True)
        if taken
    ]


def relative_bytes(costs: Sequence[StageCost | None]) -> list[float | None]:
    """Bytes that enter each stage, for a byte of the input; None from the first that is not known on."""
    relative: list[float | None] = [1.0]
    for cost in costs[:-1]:
        before, expansion = relative[-1], cost.expansion if cost else None
        relative.append(None if before is None or expansion is None else before * expansion)
    return relative
