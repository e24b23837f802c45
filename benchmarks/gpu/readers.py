"""Files to tables on the device: JSON lines and Parquet with zstd, one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.gpu.cudf_minhash import use_pool
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.rows import Report
from benchmarks.gpu.text import parts
from gpucurate.frame.device_table import DeviceTable
from gpucurate.io.listing import list_input
from gpucurate.io.reader import read_range
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.cuda import CUDA
from gpucurate.spec.bytesize import MIB, format_bytes
from gpucurate.spec.source import FileRange

FIELDS = ("text",)
PIECES = (16 * MIB, 256 * MIB)
"""Bytes of a piece: what the workflows take, and one that gives a GPU more to do at once."""


def run(plan: Plan, report: Report) -> None:
    """Ours: bytes of JSON lines a second, of Parquet too."""
    memory = GpuMemory(None)
    try:
        for format in ("jsonl", "parquet"):
            files = parts(plan.corpus, format, plan.reader_bytes)
            size = lines_of(plan, files)
            for piece in PIECES:
                name = f"{format} to the device, pieces of {format_bytes(piece)}"
                timed(plan, report, name, size, partial(read, files, piece, memory))
            host = f"{format} to Arrow on the host, one core"
            timed(plan, report, host, size, partial(read, files, PIECES[0], None))
    finally:
        CUDA.forget_tables()
        memory.close()


def run_cudf(plan: Plan, report: Report) -> None:
    """cuDF's readers over the same files."""
    use_pool()
    import cudf

    lines, tables = (parts(plan.corpus, name, plan.reader_bytes) for name in ("jsonl", "parquet"))
    size = lines_of(plan, lines)

    def read_lines() -> None:
        for path in lines:
            cudf.read_json(str(path), engine="cudf", lines=True, dtype={"text": "str"}, prune_columns=True)
        _wait()

    def read_tables() -> None:
        for path in tables:
            cudf.read_parquet(str(path), columns=["text"])
        _wait()

    timed(plan, report, "cudf.read_json, a file at a time", size, read_lines)
    timed(plan, report, "cudf.read_parquet, a file at a time", size, read_tables)


def lines_of(plan: Plan, files: list[Path]) -> int:
    """Bytes of the JSON lines that files hold, in whatever format."""
    return sum((plan.corpus / "jsonl" / f"{path.stem}.jsonl").stat().st_size for path in files)


def read(files: list[Path], piece_bytes: int, memory: GpuMemory | None) -> int:
    """Read files piece by piece, to the device if its memory is given; rows."""
    rows = 0
    for file in list_input(files).files:
        source = FileRange(file, 0, file.size)
        pieces = read_range(
            source,
            fields=FIELDS,
            text_fields=FIELDS,
            piece_bytes=piece_bytes,
            keep_original=False,
            gpu=memory,
        )
        for piece in pieces:
            rows += _moved(piece.table, on_device=memory is not None)
    if memory is not None:
        _wait()
    return rows


def _moved(table: Any, *, on_device: bool) -> int:
    """What the reader left on the host goes up, as the stage of the reader does it."""
    return len(DeviceTable.from_arrow(table) if on_device and not isinstance(table, DeviceTable) else table)


def timed(plan: Plan, report: Report, name: str, size: int, call: Callable[[], object]) -> None:
    """Measure by the clock, in bytes of JSON lines a second."""

    def measure() -> None:
        call()
        taken: list[float] = []
        began = time.monotonic()
        while not taken or (len(taken) < min(3, plan.repeats) and time.monotonic() - began < plan.seconds):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
        middle = statistics.median(taken)
        report.row(name, size / middle / 1e9, spread=(max(taken) - min(taken)) / middle)

    report.attempt(name, measure)


def _wait() -> None:
    import cupy

    cupy.cuda.runtime.deviceSynchronize()
