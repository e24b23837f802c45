"""Where batches will cross between host and device, and about how much of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gpucurate.spec.device import Device
from gpucurate.spec.plan import Plan


@dataclass(frozen=True, slots=True)
class Crossing:
    """Batches that change the side.

    Attributes:
        stage: for which they are moved.
        to: the side they move to.
        nbytes: at most so many, of the input's text and columns; what stages add is not known before.
        why: the reason.
    """

    stage: str
    to: Device
    nbytes: int
    why: str


def crossings(plan: Plan, input_bytes: int) -> Iterator[Crossing]:
    """The crossings of a plan, in order; none between adjacent stages of one segment.

    Args:
        plan: segments with their devices.
        input_bytes: decoded size of the input.
    """
    first = plan.segments[0]
    if first.device == "cuda":
        why = "reads its own ranges of files" if first.stages[0].is_source else "is given tasks of the host"
        yield Crossing(first.stages[0].name, "cuda", input_bytes, why)
    for before, after in zip(plan.segments, plan.segments[1:], strict=False):
        if before.device == after.device == "cuda" and before.stages[-1].is_checkpoint:
            yield Crossing(before.stages[-1].name, "cpu", input_bytes, "keeps what passes on disk")
            yield Crossing(after.stages[0].name, "cuda", input_bytes, "goes on from there")
        elif before.device != after.device:
            side = "a GPU" if after.device == "cuda" else "the CPU"
            yield Crossing(after.stages[0].name, after.device, input_bytes, f"runs on {side}")
