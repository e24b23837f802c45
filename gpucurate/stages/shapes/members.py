"""What stages that run side by side come to together, and whether they can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.resources import Resources
from gpucurate.stages.base import CompositeStage, ProcessingStage, SourceStage, StageIO
from gpucurate.stages.shapes.branch import Branch
from gpucurate.stages.shapes.checkpoint import Checkpoint
from gpucurate.stages.text.io.writer import DocumentWriter

Stage = ProcessingStage[Any, Any]


def checked(stages: Iterable[Stage]) -> list[Stage]:
    """The stages, composite ones replaced by what they stand for.

    Raises:
        ConfigurationError: none; or some that cannot run side by side, by name.
    """
    members = [_one(stage) for stage in stages]
    if not members:
        raise ConfigurationError("Parallel([]) has no stage: give at least one")
    names: set[str] = set()
    makers: dict[str, str] = {}
    for stage in members:
        if stage.name in names:
            raise ConfigurationError(
                f"two stages side by side are called {stage.name!r}: name one with with_(name=...)"
            )
        names.add(stage.name)
        for column in stage.outputs()[1]:
            if column in makers:
                raise one_column(column, makers[column], stage.name)
            makers[column] = stage.name
    return members


def _one(stage: Stage) -> Stage:
    if not isinstance(stage, ProcessingStage):
        raise ConfigurationError(
            f"{stage!r} is not a stage: derive it from ProcessingStage, or use processing_stage"
        )
    if isinstance(stage, SourceStage | DocumentWriter | Branch | Checkpoint):
        raise ConfigurationError(
            f"stage {stage.name!r} reads or writes files: it cannot run side by side with others"
        )
    if not isinstance(stage, CompositeStage):
        return stage
    parts = stage.decompose()
    if len(parts) != 1:
        names = ", ".join(part.name for part in parts)
        raise ConfigurationError(
            f"stage {stage.name!r} stands for {len(parts)} stages in sequence ({names}): put it before or "
            "after those that run side by side"
        )
    return _one(parts[0])


def one_column(column: str, first: str, second: str) -> ConfigurationError:
    """Two stages that make one column."""
    return ConfigurationError(
        f"stages {first!r} and {second!r} run side by side and both make the column {column!r}: let one of "
        "them give it another name, or put them one after the other"
    )


def union(sides: Iterable[StageIO]) -> StageIO:
    """Attributes and columns of all, each once, in order."""
    attributes: dict[str, None] = {}
    columns: dict[str, None] = {}
    for side in sides:
        attributes |= dict.fromkeys(side[0])
        columns |= dict.fromkeys(side[1])
    return list(attributes), list(columns)


def resources(stages: Sequence[Stage]) -> Resources:
    """What a worker needs that runs all of them in turn and keeps all of them loaded.

    The most cores; GPU memory in all; of shares of a GPU the sum, up to one, and of whole GPUs the most.

    Raises:
        ConfigurationError: some ask for GPUs and others for GPU memory.
    """
    asked = [stage.resources for stage in stages]
    memory, gpus = sum(r.gpu_memory_gb for r in asked), [r.gpus for r in asked]
    if memory and any(gpus):
        told = ", ".join(f"{s.name} {s.resources}" for s in stages if s.resources.requires_gpu)
        raise ConfigurationError(
            f"stages side by side ask for gpus and for gpu_memory_gb ({told}): ask for one of the two in all"
        )
    return Resources(max(r.cpus for r in asked), memory, max(*gpus, min(1.0, sum(gpus))))


def devices(stages: Sequence[Stage]) -> frozenset[Device]:
    """Devices that all of them run on.

    Raises:
        ConfigurationError: none.
    """
    common = frozenset[Device].intersection(*(frozenset(stage.devices) for stage in stages))
    if not common:
        told = ", ".join(f"{stage.name} on {'/'.join(sorted(stage.devices)) or 'none'}" for stage in stages)
        raise ConfigurationError(
            f"stages side by side run on one device, and there is none for all of them ({told}): put them "
            "one after the other"
        )
    return common


def environment(stages: Sequence[Stage]) -> dict[str, Any] | None:
    """The environment that they ask for.

    Raises:
        ConfigurationError: two ask for different ones.
    """
    asked = [stage for stage in stages if stage.runtime_env]
    for stage in asked[1:]:
        if stage.runtime_env != asked[0].runtime_env:
            raise ConfigurationError(
                f"stages {asked[0].name!r} and {stage.name!r} run side by side in one process and ask for "
                "different runtime_env: put them one after the other"
            )
    return asked[0].runtime_env if asked else None
