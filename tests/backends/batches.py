"""Batches for tests of the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from gpucurate.backends.runner import Assignment, Runner
from gpucurate.io.piece import LinesOriginal
from gpucurate.spec.events import Order
from gpucurate.spec.source import FileRange, InputFile
from gpucurate.spec.unit import Unit, UnitResult
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.function_decorators import processing_stage
from gpucurate.tasks import DocumentBatch
from gpucurate.tasks.origin import Origin

FILE = InputFile("/in/ü.jsonl", "ü.jsonl", 10_000, 0, None, "jsonl", "none")


def lines_of(texts: Iterable[str]) -> LinesOriginal:
    raw = [f'{{"text": "{text}"}}'.encode() for text in texts]
    stops = np.cumsum([len(line) + 1 for line in raw]) - 1 if raw else np.zeros(0, np.int64)
    starts = stops - [len(line) for line in raw] if raw else np.zeros(0, np.int64)
    return LinesOriginal(np.frombuffer(b"\n".join([*raw, b""]), np.uint8), starts, stops)


def read(texts: Iterable[str], first: int = 0, ordinal: int = 0) -> DocumentBatch:
    """A batch as a reader makes it: with a place in a file and the lines as they stood there."""
    texts = list(texts)
    origin = Origin.of_range(FileRange(FILE, 0, 5000, ordinal, 2), first)
    return DocumentBatch(
        "set",
        pa.table({"text": pa.array(texts, pa.string())}),
        f"{ordinal}+{first}",
        _origin=origin,
        records=np.arange(first, first + len(texts)),
    ).with_original(lines_of(texts))


def texts_of(tasks: Iterable[Any]) -> list[str]:
    return [text for task in tasks for text in task.to_pyarrow()["text"].to_pylist()]


def checking(check: Callable[[list[str]], None], **attributes: Any) -> ProcessingStage:
    """A stage that hands batches on as they are, if their texts pass."""

    def check_texts(batch):
        check(batch.to_pyarrow()["text"].to_pylist())
        return batch.select(np.ones(batch.num_items, bool))

    stage = processing_stage(name="checks", inputs=["text"])(check_texts)
    for name, value in attributes.items():
        setattr(stage, name, value)
    return stage


def refusing(*bad: str, error: Exception | None = None) -> ProcessingStage:
    """A stage that raises on batches with any of these texts."""

    def check(texts):
        if found := set(bad) & set(texts):
            raise error or ValueError(f"cannot do {sorted(found)}")

    return checking(check)


def fitting(rows: int) -> ProcessingStage:
    """A stage that has memory for so many rows."""

    def check(texts):
        if len(texts) > rows:
            raise MemoryError(f"no room for {len(texts)} rows")

    return checking(check)


def run(*stages: ProcessingStage, tasks: list[Any], order: Order | None = None, **work: Any) -> UnitResult:
    """One unit through one segment, final tasks with their data."""
    runner = Runner(Assignment("main", list(stages), work.pop("folder", None), True, **work), 7)
    runner.setup()
    try:
        return runner.run(Unit("u", 3, (), 1, tasks), order or Order())
    finally:
        runner.teardown()
