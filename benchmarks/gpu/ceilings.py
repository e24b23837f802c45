"""Ceilings: what the device can do at most, measured before anything is held against it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.plan import Plan
from benchmarks.gpu.rows import Report
from benchmarks.gpu.timing import Stopwatch, Timing, measure
from gpucurate.ops.cuda.source import OPTIONS
from gpucurate.ops.kernels import kernel_source

THREADS = 256
BLOCKS_PER_MULTIPROCESSOR = 8
STEPS_OF_ROUND = {"products": 128, "minima": 128, "minhash_steps": 64}
"""Operations of a thread in a round, as ``ceilings.cu`` says."""

NAMES = {"products": "products, 32 bits", "minima": "minima, 32 bits", "minhash_steps": "MinHash steps"}
COPY, READ = "device copy, read and written", "device read"


def source() -> str:
    """The kernels, in one piece for NVRTC."""
    text = Path(__file__).with_name("ceilings.cu").read_text()
    header = kernel_source("portable.cuh").replace("#pragma once\n", "\n")
    return re.sub(r'^#include "portable.cuh"$', lambda _: header, text, flags=re.MULTILINE)


def run(plan: Plan, report: Report) -> None:
    """All ceilings."""
    ceilings = Ceilings(plan, report)
    report.attempt(COPY, ceilings.copy)
    report.attempt(READ, ceilings.read)
    for kernel, name in NAMES.items():
        report.attempt(name, partial(ceilings.arithmetic, kernel))
    report.attempt("pinned memory", ceilings.pinned)
    report.attempt("pageable memory", ceilings.pageable)
    report.attempt("launch", ceilings.launch)


class Ceilings:
    """Measures them on the current device."""

    def __init__(self, plan: Plan, report: Report) -> None:
        import cupy

        self.cupy, self.plan, self.report = cupy, plan, report
        self.nbytes = plan.column_bytes // 1024 * 1024
        number = cupy.cuda.runtime.getDevice()
        processors = int(cupy.cuda.runtime.getDeviceProperties(number)["multiProcessorCount"])
        self.grid = BLOCKS_PER_MULTIPROCESSOR * processors
        self.module = cupy.RawModule(code=source(), options=OPTIONS)

    def time(self, call: Callable[[], object]) -> Timing:
        """Median over the plan's repeats."""
        return measure(lambda _: call(), self.plan.repeats, self.plan.seconds)

    def launch_of(self, kernel: str, *arguments: Any) -> Callable[[], object]:
        """A call that launches a kernel over the whole device."""
        function = self.module.get_function(kernel)
        return lambda: function((self.grid,), (THREADS,), arguments)

    def copy(self) -> None:
        """From device memory to device memory; both directions count."""
        one, other = (self.cupy.zeros(self.nbytes, np.uint8) for _ in range(2))
        found = self.time(lambda: self.cupy.copyto(other, one))
        self.report.row(COPY, 2 * self.nbytes / found.seconds / 1e9, spread=found.spread)

    def read(self) -> None:
        """Device memory that is only read."""
        data, out = self.cupy.zeros(self.nbytes, np.uint8), self.cupy.zeros(THREADS, np.uint32)
        found = self.time(self.launch_of("read_words", data, np.int64(self.nbytes // 16), out))
        self.report.row(READ, self.nbytes / found.seconds / 1e9, spread=found.spread)

    def arithmetic(self, kernel: str) -> None:
        """Operations a second of all threads together."""
        out, rounds = self.cupy.zeros(THREADS, np.uint32), self.plan.busy_work
        second = () if kernel != "products" else (np.uint32(0x85EBCA6B),)
        call = self.launch_of(kernel, np.uint32(0x9E3779B1), *second, np.int32(rounds), out)
        found = self.time(call)
        operations = self.grid * THREADS * rounds * STEPS_OF_ROUND[kernel]
        self.report.row(NAMES[kernel], operations / found.seconds / 1e12, unit="T/s", spread=found.spread)

    def pinned(self) -> None:
        """Page-locked memory, up, down, and both at once."""
        cuda, nbytes = self.cupy.cuda, self.nbytes // 4
        up, down = (np.frombuffer(cuda.alloc_pinned_memory(nbytes), np.uint8, nbytes) for _ in range(2))
        to, source_of = (self.cupy.zeros(nbytes, np.uint8) for _ in range(2))
        first, second = (cuda.Stream(non_blocking=True) for _ in range(2))

        def send() -> None:
            to.set(up, stream=first)

        def fetch() -> None:
            source_of.get(stream=second, out=down, blocking=False)

        cuda.runtime.deviceSynchronize()
        for name, streams, calls in (
            ("pinned, host to device", (first,), (send,)),
            ("pinned, device to host", (second,), (fetch,)),
            ("pinned, both at once", (first, second), (send, fetch)),
        ):
            seconds = min(_on_streams(streams, calls) for _ in range(1 + self.plan.repeats))
            self.report.row(name, len(calls) * nbytes / seconds / 1e9, note="the fastest run")

    def pageable(self) -> None:
        """Ordinary memory of the host, as ``upload`` and ``download`` move it."""
        host = np.zeros(self.nbytes // 4, np.uint8)
        array = self.cupy.asarray(host)
        for name, call in (
            ("pageable, host to device", lambda: self.cupy.asarray(host)),
            ("pageable, device to host", array.get),
        ):
            found = self.time(call)
            self.report.row(name, host.nbytes / found.seconds / 1e9, spread=found.spread)

    def launch(self) -> None:
        """What a launch costs, and a launch that the host waits for."""
        call, count = self.launch_of("nothing"), min(1000, 2 * self.plan.busy_work)

        def launches() -> None:
            for _ in range(count):
                call()

        found = self.time(launches)
        self.report.row("launch", found.seconds / count * 1e6, unit="us", spread=found.spread)
        began = time.perf_counter()
        for _ in range(count):
            call()
            self.cupy.cuda.get_current_stream().synchronize()
        waited = (time.perf_counter() - began) / count * 1e6
        self.report.row("launch and wait", waited, unit="us")


def _on_streams(streams: tuple[Any, ...], calls: tuple[Callable[[], None], ...]) -> float:
    """Seconds of calls on a stream each: of the slowest of them, all begun together."""
    watches = [Stopwatch(stream) for stream in streams]
    for watch in watches:
        watch.start()
    for call in calls:
        call()
    for watch in watches:
        watch.stop()
    return max(watch.seconds for watch in watches)
