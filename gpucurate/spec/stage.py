"""A stage as planning sees it: names, needs and configuration, no code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gpucurate.spec.device import Device
from gpucurate.spec.resources import Resources


@dataclass(frozen=True, slots=True)
class StageSpec:
    """What decides where a stage runs and what it makes.

    Attributes:
        name: as in messages and reports.
        kind: qualified name of its class.
        config: everything that changes its results, as plain values.
        inputs: columns it needs.
        outputs: columns it adds.
        resources: of one worker.
        batch_size: tasks handed over at a time.
        devices: devices it runs on.
        runtime_env: environment of its workers, if it asks for one.
        is_source: whether it reads files by ranges.
        columns: columns of the source, None if they cannot be known.
        max_workers: its own limit on workers.
        piece_bytes: the most input that a source holds at a time.
        follows_device: whether it runs where the stage before it does.
        splittable: whether what it makes does not depend on how rows are divided into batches.
        is_gang: whether its workers know of each other, and start and end together.
        is_checkpoint: whether a later run may begin behind it; it has no part in what results.
    """

    name: str
    kind: str
    config: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    batch_size: int = 1
    devices: frozenset[Device] = frozenset({"cpu", "cuda"})
    runtime_env: dict[str, Any] | None = None
    is_source: bool = False
    columns: tuple[str, ...] | None = None
    max_workers: int | None = None
    piece_bytes: int | None = None
    follows_device: bool = False
    splittable: bool = True
    is_gang: bool = False
    is_checkpoint: bool = False
