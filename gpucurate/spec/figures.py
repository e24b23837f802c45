"""What a worker tells of itself with each unit, and what the scheduler learns from."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.spec.pickling import quick


@dataclass(frozen=True, slots=True)
class MemorySample:
    """One batch that went through a segment, and what it took.

    Attributes:
        nbytes: size of the batch.
        peak: bytes that the worker held at the most beyond what it holds between batches; None where
            it is not known.
        fitted: False where memory ran out.
        limit: bytes that it may hold beyond what it holds between batches; 0 where it is not known.
    """

    nbytes: int
    peak: int | None
    fitted: bool
    limit: int = 0


@quick
@dataclass(frozen=True, slots=True)
class Collected:
    """What looking for memory to give back took, and brought.

    Attributes:
        count: how often it was looked for.
        seconds: that it took.
        nbytes: that the process held less afterwards.
    """

    count: int = 0
    seconds: float = 0.0
    nbytes: int = 0

    def __add__(self, other: Collected) -> Collected:
        return Collected(self.count + other.count, self.seconds + other.seconds, self.nbytes + other.nbytes)


NOTHING = Collected()


@quick
@dataclass(frozen=True, slots=True)
class Figures:
    """What a unit took in one segment.

    Attributes:
        seconds: in the worker, from taking the unit up to its end.
        output_bytes: of what it hands on to the next segment.
        memory: bytes of host memory that the worker holds now.
        gpu_memory: bytes of its GPU that it holds now.
        samples: batches worth learning from, out of memory or not.
        growth: by how many bytes the process grew during the calls of each stage; empty where that was not
            measured.
        collected: what was given back after the unit.
    """

    seconds: float = 0.0
    output_bytes: int = 0
    memory: int = 0
    gpu_memory: int = 0
    samples: tuple[MemorySample, ...] = ()
    growth: tuple[int, ...] = ()
    collected: Collected = NOTHING
