"""From keys to components and survivors, in thousand millions of pairs or documents a second."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.gpu import ceilings
from benchmarks.gpu.kernels import report_rate
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.rows import Report
from benchmarks.gpu.timing import measure
from gpucurate.ops.cuda import CudaDevice
from gpucurate.ops.grouping.cuda import sort_pairs
from gpucurate.ops.survivors.cuda import choose_survivors, count_members
from gpucurate.ops.union_find.cuda import flatten, hook_equal, hook_pairs, hook_runs

BYTES_A_KEY = 152
"""That ``hook_equal`` moves (``equal_keys.cu``): 16 to pack, 16 a byte of what is sorted, 8 to hook."""

DISTINCT = 0.8
"""Distinct keys, as a share of pairs: so many documents have a near-duplicate as in the corpus."""


def run(plan: Plan, report: Report) -> None:
    """What a band costs, and other ways and steps beside it."""
    steps = Steps(plan, report)
    for name, measured in (
        ("grouping, join equal keys", steps.join),
        ("grouping, sort", steps.sort),
        ("grouping, hook sorted keys", steps.hook),
        ("grouping, sort and hook", steps.whole),
        ("union-find, hook pairs", steps.pairs),
        ("union-find, flatten", steps.flatten),
        ("survivors, count members", steps.count),
        ("survivors, choose", steps.choose),
    ):
        report.attempt(name, partial(measured, name))


class Steps:
    """A band of keys on the device, and what is done with it."""

    def __init__(self, plan: Plan, report: Report) -> None:
        import cupy

        self.plan, self.report, self.xp, n = plan, report, cupy, plan.pairs
        rng = np.random.default_rng(0)
        self.mixing = np.uint64(0x9E3779B97F4A7C15)
        numbers = cupy.asarray(rng.integers(0, int(DISTINCT * n), n, dtype=np.uint32))
        self.keys = numbers.astype(np.uint64) * self.mixing
        self.ids = cupy.arange(n, dtype=np.uint32)
        self.scratch = cupy.empty(n, np.uint64), cupy.empty(n, np.uint32)
        keys, ids = sort_pairs(self.keys, self.ids, *self.scratch)
        self.ordered = keys.copy(), ids.copy()
        self.parents = cupy.arange(n, dtype=np.uint32)
        self.labels = self._components()

    def _components(self) -> Any:
        labels = self.xp.arange(self.plan.pairs, dtype=np.uint32)
        hook_runs(*self.ordered, labels)
        flatten(labels)
        return labels

    def _fresh(self) -> None:
        self.parents[:] = self.ids

    def _sorted(self, device: CudaDevice) -> tuple[Any, Any]:
        return sort_pairs(self.keys, self.ids, *self.scratch, device)

    def _timed(self, name: str, call: Any, unit: str, prepare: Any, **values: Any) -> None:
        found = measure(call, self.plan.repeats, self.plan.seconds, prepare)
        report_rate(self.report, name, found, self.plan.pairs, unit=unit, **values)

    def _timed_whole(self, name: str, call: Any, **values: Any) -> None:
        """Without the time of our kernels alone, which is not all that the device does: CuPy sorts."""
        found = measure(call, self.plan.repeats, self.plan.seconds, self._fresh)
        rate = self.plan.pairs / found.seconds / 1e9
        self.report.row(name, rate, unit="G pairs/s", spread=found.spread, **values)

    def join(self, name: str) -> None:
        """Equal keys into a fresh forest, as the workflows do it."""

        def call(device: CudaDevice) -> None:
            hook_equal([self.keys], self.ids, self.parents, device)

        copied = self.plan.ceilings.get(ceilings.COPY)
        ceiling = copied / BYTES_A_KEY if copied else None
        self._timed_whole(name, call, goal=5, ceiling=ceiling)

    def sort(self, name: str) -> None:
        """By key, ids along."""
        self._timed(name, self._sorted, "G pairs/s", lambda: None, note="CuPy's sort, no kernel of ours")

    def hook(self, name: str) -> None:
        """Runs of equal keys into a fresh forest."""
        self._timed(name, lambda d: hook_runs(*self.ordered, self.parents, d), "G pairs/s", self._fresh)

    def whole(self, name: str) -> None:
        """Both: the other way to join equal keys."""

        def call(device: CudaDevice) -> None:
            hook_runs(*self._sorted(device), self.parents, device)

        self._timed_whole(name, call)

    def pairs(self, name: str) -> None:
        """Pairs in no order."""
        left, right = self.ids, self.labels

        def call(device: CudaDevice) -> None:
            hook_pairs(left, right, self.parents, device)

        self._timed(name, call, "G pairs/s", self._fresh)

    def flatten(self, name: str) -> None:
        """A forest of paths of one step: what hooking leaves where clusters are small."""

        def prepare() -> None:
            self._fresh()
            hook_runs(*self.ordered, self.parents)

        self._timed(name, lambda d: flatten(self.parents, d), "G documents/s", prepare)

    def count(self, name: str) -> None:
        """Members of each cluster."""
        self._timed(name, lambda d: count_members(self.labels, d), "G documents/s", lambda: None)

    def choose(self, name: str) -> None:
        """The survivor of each cluster by rank."""
        n = self.plan.pairs
        ranks = (self.keys & np.uint64(0xFFFF)).astype(np.uint32) + np.uint32(1)
        survivors, best = self.xp.empty(n, np.uint32), self.xp.empty(n, np.uint32)

        def prepare() -> None:
            survivors.fill(np.uint32(0xFFFFFFFF))
            best.fill(np.uint32(0))

        def call(device: CudaDevice) -> None:
            choose_survivors(self.labels, 0, ranks, survivors, best, device)

        self._timed(name, call, "G documents/s", prepare)
