"""One memory model for all workers, against halving in each and against AIMD: a simulation.

Eight workers take batches as large as they are allowed, of data whose need of memory per byte drifts
up and back again (noise of 10%, and one batch in 200 takes half as much again). Counted are the
batches that run out of memory, and how much of the memory the others use (fill).

    python benchmarks/bench_memory_model.py [--tasks 4000] [--workers 8] [--seeds 20]
"""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Callable
from math import pi, sin
from random import Random
from statistics import mean
from timeit import timeit

from gpucurate.scheduling.memory_model import MemoryModel
from gpucurate.spec.figures import MemorySample

LIMIT = 64 * 10**9
START = LIMIT // 6


class Halving:
    """Each worker for itself: half after a failure, a hundredth more after each success."""

    def __init__(self, workers: int) -> None:
        self.caps = [START] * workers

    def cap(self, worker: int) -> int:
        return self.caps[worker]

    def observe(self, worker: int, sample: MemorySample) -> None:
        cap = self.caps[worker]
        self.caps[worker] = cap + cap // 100 if sample.fitted else max(1, cap // 2)


class Shared:
    """Half after a failure, for all; a thousandth of the first size more after each success."""

    def __init__(self, workers: int) -> None:
        self.size = START

    def cap(self, worker: int) -> int:
        return self.size

    def observe(self, worker: int, sample: MemorySample) -> None:
        if sample.fitted:
            self.size += START // 1000
        else:
            self.size = min(self.size, sample.nbytes // 2)


class Model:
    """The model of the scheduler."""

    def __init__(self, workers: int) -> None:
        self.model = MemoryModel()

    def cap(self, worker: int) -> int:
        return self.model.cap(LIMIT) or START

    def observe(self, worker: int, sample: MemorySample) -> None:
        self.model.observe(sample)


def simulate(policy: Halving | Shared | Model, tasks: int, workers: int, seed: int) -> tuple[int, float]:
    """(Batches out of memory, mean fill of the others)."""
    rng, failures, fills = Random(seed), 0, []
    in_flight: deque[tuple[int, int]] = deque((worker, policy.cap(worker)) for worker in range(workers))
    for task in range(tasks):
        worker, size = in_flight.popleft()
        ratio = 6 + 3 * sin(2 * pi * task / 2000)
        ratio *= rng.uniform(0.9, 1.1) * (1.5 if rng.random() < 1 / 200 else 1)
        peak = int(size * ratio)
        fitted = peak <= LIMIT
        failures += not fitted
        if fitted:
            fills.append(peak / LIMIT)
        policy.observe(worker, MemorySample(size, peak if fitted else None, fitted, LIMIT))
        in_flight.append((worker, policy.cap(worker)))
    return failures, mean(fills)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    policies: dict[str, Callable[[int], Halving | Shared | Model]] = {
        "halving in each worker": Halving,
        "AIMD, shared": Shared,
        "model, shared": Model,
    }
    for name, make in policies.items():
        runs = [simulate(make(args.workers), args.tasks, args.workers, seed) for seed in range(args.seeds)]
        failures, fill = (mean(run[index] for run in runs) for index in (0, 1))
        print(f"{name:24s} out of memory {failures:6.1f} of {args.tasks}   fill {fill:.2f}")
    model, sample = MemoryModel(), MemorySample(10**9, 5 * 10**9, True, LIMIT)
    print(f"observe: {timeit(lambda: model.observe(sample), number=20000) / 20000 * 1e6:.1f} us")
    print(f"cap: {timeit(lambda: model.cap(LIMIT), number=20000) / 20000 * 1e6:.1f} us")


if __name__ == "__main__":
    main()
