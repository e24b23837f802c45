"""Whether neighbours run in one worker, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gpucurate.planning.costs import StageCost, relative_bytes
from gpucurate.planning.devices import follows
from gpucurate.spec.bytesize import MIB, format_bytes
from gpucurate.spec.device import Device
from gpucurate.spec.stage import StageSpec

RESIDENT_SHARE = 0.85
"""Of a GPU's memory, what stages that share a worker may ask for together."""

HOST_BANDWIDTH = 2 * 10**9
"""Bytes a second that tables cross between processes of one machine: 16 MB tables, 134 a second, measured."""

COPY_SHARE = 0.05
"""A copy that takes a larger share of the time of both stages is worth saving."""

CHEAP_S = 0.020
"""A stage that takes less for a unit does not repay a worker of its own."""

UNIT = 64 * MIB
"""What costs are compared at: a unit of the default size."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Stages, and what is known of each.

    Attributes:
        stages: in order.
        devices: where each runs.
        environments: of its workers.
        costs: as measured, None where they are not known.
        gpu_memory: bytes of a GPU, None if that is not known.
        fuse: False to give each stage workers of its own.
        tight: whether there is no room for a worker of each segment: what would only be better apart is not.
    """

    stages: Sequence[StageSpec]
    devices: Sequence[Device]
    environments: Sequence[dict[str, Any] | None]
    costs: Sequence[StageCost | None]
    gpu_memory: int | None = None
    fuse: bool = True
    tight: bool = False

    def seconds(self, first: int, stop: int) -> float | None:
        """Of stages ``first`` up to ``stop``, for a unit that enters the pipeline."""
        total, relative = 0.0, relative_bytes(self.costs)
        for at in range(first, stop):
            cost, share = self.costs[at], relative[at]
            if cost is None or share is None:
                return None
            total += cost.seconds_per_mb * share * UNIT / 10**6
        return total

    def crossing(self, at: int) -> float | None:
        """Bytes that a unit hands to stage ``at``."""
        share = relative_bytes(self.costs)[at]
        return None if share is None else share * UNIT


def why_apart(chain: Chain, first: int, at: int) -> str | None:
    """Why stage ``at`` does not share a worker with stages ``first`` up to it; None if it does."""
    must = (_checkpoint, _switched_off, _gang, _device, _environment, _gpu_share)
    rules = must if chain.tight else (*must, _workers, _cost)
    return next((why for rule in rules if (why := rule(chain, first, at))), None)


def why_fused(chain: Chain, first: int, at: int) -> str:
    """Why stage ``at`` shares a worker with stages ``first`` up to it."""
    if chain.devices[at] == "cuda":
        return f"on the same GPU{_memory_together(chain, first, at)}, a batch stays where it is"
    if chain.tight:
        return "there is no room for workers of each"
    before, own, moved = chain.seconds(first, at), chain.seconds(at, at + 1), chain.crossing(at)
    if before is None or own is None or moved is None:
        return "on the CPU, a batch stays where it is; what the stages cost is not known"
    if min(before, own) < CHEAP_S:
        return f"{_seconds(min(before, own))} for a unit of 64 MiB do not repay workers of their own"
    return (
        f"a copy of {format_bytes(moved)} takes {_seconds(_copy(moved))}, "
        f"the work {_seconds(before + own)}, for a unit of 64 MiB"
    )


def _checkpoint(chain: Chain, first: int, at: int) -> str | None:
    before = chain.stages[at - 1]
    return f"{before.name} before it is where a later run may begin" if before.is_checkpoint else None


def _switched_off(chain: Chain, first: int, at: int) -> str | None:
    return None if chain.fuse else "fusing is switched off"


def _gang(chain: Chain, first: int, at: int) -> str | None:
    for stage in (chain.stages[at - 1], chain.stages[at]):
        if stage.is_gang:
            return f"workers of {stage.name} start and end together and run nothing else"
    return None


def _device(chain: Chain, first: int, at: int) -> str | None:
    before, own = chain.devices[at - 1], chain.devices[at]
    return None if before == own else f"from {before} to {own}"


def _environment(chain: Chain, first: int, at: int) -> str | None:
    before, own = chain.environments[at - 1], chain.environments[at]
    if before == own:
        return None
    keys = sorted(
        key for key in {**(before or {}), **(own or {})} if (before or {}).get(key) != (own or {}).get(key)
    )
    return f"another environment ({', '.join(keys)})"


def _gpu_share(chain: Chain, first: int, at: int) -> str | None:
    own = chain.stages[at].resources
    asking = [s.resources for s in chain.stages[first:at] if s.resources.requires_gpu]
    if chain.devices[at] != "cuda" or not own.requires_gpu or not asking:
        return None
    before = asking[0]
    if bool(before.gpus) != bool(own.gpus):
        return "one asks for a share of a GPU (gpus), the other for memory (gpu_memory_gb)"
    if own.gpus:
        return None if own.gpus == before.gpus else f"gpus={own.gpus:g}, before it gpus={before.gpus:g}"
    asked = sum(r.gpu_memory_gb for r in asking) + own.gpu_memory_gb
    limit = RESIDENT_SHARE * (chain.gpu_memory or float("inf")) / 10**9
    if asked <= limit:
        return None
    return f"together they ask for {asked:g} GB, more than {limit:.3g} GB, 85% of a GPU's memory"


def _workers(chain: Chain, first: int, at: int) -> str | None:
    """A limit holds for all stages of a worker: it must not slow those that have a higher one, or none.

    It does not where those cost next to nothing. And a stage that only follows the batch on a GPU shares
    any limit: apart from it, text would move.
    """
    on_gpu = chain.devices[at] == "cuda"
    limits = [s.max_workers for s in chain.stages[first:at] if not (on_gpu and follows(s))]
    if not limits or (on_gpu and follows(chain.stages[at])):
        return None
    before, own = min((n for n in limits if n is not None), default=None), chain.stages[at].max_workers
    if before == own or _is_free(chain, first, at, limited_here=(own or math.inf) < (before or math.inf)):
        return None
    return f"num_workers() is {_limit(own)}, before it {_limit(before)}"


def _is_free(chain: Chain, first: int, at: int, *, limited_here: bool) -> bool:
    """Whether the side without the limit takes so little time that the limit does not slow the whole."""
    before, own = chain.seconds(first, at), chain.seconds(at, at + 1)
    if before is None or own is None:
        return False
    return before <= COPY_SHARE * own if limited_here else own <= COPY_SHARE * before


def _cost(chain: Chain, first: int, at: int) -> str | None:
    if chain.devices[at] == "cuda":
        return None
    before, own, moved = chain.seconds(first, at), chain.seconds(at, at + 1), chain.crossing(at)
    if before is None or own is None or moved is None or min(before, own) < CHEAP_S:
        return None
    if _copy(moved) > COPY_SHARE * (before + own):
        return None
    return (
        f"a copy of {format_bytes(moved)} for a unit of 64 MiB takes {_seconds(_copy(moved))}, "
        f"below 5% of the work's {_seconds(before + own)}: workers of their own can be as many as each needs"
    )


def _copy(nbytes: float) -> float:
    return nbytes * 2 / HOST_BANDWIDTH  # written once, read once


def _memory_together(chain: Chain, first: int, at: int) -> str:
    asked = [s.resources.gpu_memory_gb for s in chain.stages[first : at + 1] if s.resources.gpu_memory_gb]
    if len(asked) < 2 or not chain.stages[at].resources.gpu_memory_gb:
        return ""
    total = f" ({' + '.join(f'{gb:g}' for gb in asked)} GB"
    if chain.gpu_memory is None:
        return f"{total}; its memory is not known)"
    return f"{total}, within {RESIDENT_SHARE * chain.gpu_memory / 10**9:.3g} GB, 85% of its memory)"


def _limit(workers: int | None) -> str:
    return "not limited" if workers is None else str(workers)


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
