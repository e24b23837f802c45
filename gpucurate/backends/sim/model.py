"""What a segment's workers take, in truth: the scheduler has to find out."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.backends.sim.distributions import Constant, Distribution
from gpucurate.spec.cluster import Place

NOTHING = Constant(0.0)
SAME = Constant(1.0)


@dataclass(frozen=True, slots=True)
class BatchMemory:
    """Memory that batches take, and how much there is.

    Attributes:
        limit: bytes that a worker may hold for a batch; more is an out-of-memory error.
        per_byte: bytes held for each byte of a batch; drawn for each unit.
        batch_bytes: size of a batch where no cap says otherwise.
        row_bytes: a batch of this size is one row and cannot be halved.
        splittable: whether the worker may halve a batch that does not fit; else the unit fails.
        retry_s: seconds that each error costs.
    """

    limit: int
    per_byte: Distribution
    batch_bytes: int
    row_bytes: int = 1
    splittable: bool = True
    retry_s: float = 0.1


@dataclass(frozen=True, slots=True)
class LaneModel:
    """What the workers of one segment take.

    Attributes:
        seconds: for a unit, whatever its size.
        seconds_per_mb: and for each 10**6 bytes of its input.
        noise: factor on both, drawn for each attempt.
        ratio: bytes handed on for each byte of input.
        setup: seconds before a worker's first unit.
        teardown_s: seconds to end in order.
        batches: memory that batches take; None where it never runs out.
        leak: bytes that a worker grows by with each unit.
        prefetch: whether a worker loads what it was given while it works on what came before.
    """

    seconds: Distribution = NOTHING
    seconds_per_mb: Distribution = NOTHING
    noise: Distribution = SAME
    ratio: Distribution = SAME
    setup: Distribution = SAME
    teardown_s: float = 0.1
    batches: BatchMemory | None = None
    leak: int = 0
    prefetch: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """How fast things go from worker to worker, and news to the driver.

    Attributes:
        same_gpu: bytes a second between workers of one GPU.
        same_node: between workers of one node.
        network: between nodes.
        latency_s: of an action on its way to a worker, and of a report on its way back.
    """

    same_gpu: float = 50e9
    same_node: float = 10e9
    network: float = 2e9
    latency_s: float = 0.001

    def seconds(self, nbytes: int, source: Place, target: Place) -> float:
        """What it takes to load ``nbytes`` that lie at ``source``."""
        if source.node != target.node:
            return nbytes / self.network
        shared = set(source.gpu_ids) & set(target.gpu_ids)
        return nbytes / (self.same_gpu if shared else self.same_node)
