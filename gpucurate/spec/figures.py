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
class Figures:
    """What a unit took in one segment.

    Attributes:
        seconds: in the worker, from taking the unit up to its end.
        output_bytes: of what it hands on to the next segment.
        memory: bytes of host memory that the worker holds now.
        gpu_memory: bytes of its GPU that it holds now.
        samples: batches worth learning from, out of memory or not.
    """

    seconds: float = 0.0
    output_bytes: int = 0
    memory: int = 0
    gpu_memory: int = 0
    samples: tuple[MemorySample, ...] = ()
