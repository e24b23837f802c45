"""What batches take of memory, measured while a unit runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from gpucurate.backends.call import Stage
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.memory.host_peak import peak_memory, reset_peak, resident_memory
from gpucurate.memory.out_of_memory import device_is_lost, is_out_of_memory
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.figures import MemorySample

HOST_SAMPLE_BYTES = 16 * MIB
"""Batches on the host are measured from this size on: below it, noise is larger than what they take."""

MOST_SAMPLES = 32
"""Of a unit."""

_UNMEASURED: AbstractContextManager[None] = nullcontext()


@dataclass(slots=True)
class Gauge:
    """Samples of one unit.

    Attributes:
        gpu_base: bytes of the GPU that the worker holds between units.
        samples: what was measured so far, lack of memory included.
    """

    gpu_base: int = 0
    samples: list[MemorySample] = field(default_factory=list)

    def measured(self, stage: Stage, nbytes: int) -> AbstractContextManager[None]:
        """Measure what a stage takes while the block runs, if that is worth it and the block ends well."""
        if len(self.samples) >= MOST_SAMPLES:
            return _UNMEASURED
        if stage._gpu_memory is not None:
            return self._on_gpu(stage.gpu_memory, stage.name, nbytes)
        return self._on_host(nbytes) if nbytes >= HOST_SAMPLE_BYTES else _UNMEASURED

    def note_failure(self, stage: Stage, nbytes: int, error: Exception) -> None:
        """Note a batch for which memory did not suffice, if that is what an error says."""
        if is_out_of_memory(error) and not device_is_lost(error):
            self.samples.append(MemorySample(nbytes, None, False, self._limit(stage._gpu_memory)))

    def _limit(self, memory: GpuMemory | None) -> int:
        return 0 if memory is None else max(0, memory.pool.limit - self.gpu_base)

    @contextmanager
    def _on_gpu(self, memory: GpuMemory, stage: str, nbytes: int) -> Iterator[None]:
        with memory.counting(stage) as held:
            yield
        peak = max(0, held.peak - self.gpu_base)
        self.samples.append(MemorySample(nbytes, peak, True, self._limit(memory)))

    @contextmanager
    def _on_host(self, nbytes: int) -> Iterator[None]:
        """The batch itself is held before the block begins, so it is added."""
        is_reset, before = reset_peak(), resident_memory()
        yield
        peak = peak_memory() if is_reset else None
        if peak is not None:
            self.samples.append(MemorySample(nbytes, nbytes + max(0, peak - before), True))
