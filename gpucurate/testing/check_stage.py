"""Try a stage on the inputs that break stages."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import cloudpickle
import numpy as np
import pyarrow as pa

from gpucurate.backends.chain import Chain, Stage
from gpucurate.frame import table as frame
from gpucurate.spec.device import Device
from gpucurate.spec.errors import StageError
from gpucurate.stages.context import UnitContext
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.origin import Origin
from gpucurate.tasks.task import Task

HUGE_CHARACTERS = 1_000_000
MANY_ROWS = 10_000
LONGEST_ROW = 200


def check_stage(stage: Stage | type[Stage], **columns: list[Any]) -> list[str]:
    """Run a stage on empty, null, odd, huge and many documents, on each device there is.

    It is set up, run on every batch, and torn down, as a worker does it; and it is pickled,
    as it would be to reach a worker. For each batch, on the CPU once as Arrow and once as
    pandas, it must not raise, must not change the batch it was given, and must give tasks
    that have the columns it declares and can be pickled. Unless it sets ``splittable=False``, the halves of
    a batch must give the rows that the whole gives: batches are cut and joined as memory asks for.

    Args:
        stage: an instance, or a class that needs no argument.
        columns: further columns that the stage needs, by name, as a few values to repeat;
            columns it declares in ``inputs()`` are otherwise text.

    Returns:
        The names of the cases that were tried, with the device.

    Raises:
        StageError: the stage failed a case; the message names it.

    >>> check_stage(MyStage)
    ['empty on cpu', 'null text on cpu', ...]
    """
    given: Stage = stage() if isinstance(stage, type) else stage
    tried: list[str] = []
    for device in _devices(given):
        for name, batch in _cases(given, columns):
            for engine in _engines(device):
                _try(_pickled(given), name, replace(batch, data=engine(batch)))
            tried.append(f"{name} on {device}")
    return tried


def _devices(stage: Stage) -> list[Device]:
    there: list[Device] = ["cpu", "cuda"] if frame.cuda_is_available() else ["cpu"]
    usable = [device for device in there if device in stage.devices]
    if not usable:
        raise StageError(
            f"stage {stage.name!r} runs on {sorted(stage.devices)}, and there is {there}", stage.name
        )
    return usable


def _cases(stage: Stage, columns: dict[str, list[Any]]) -> Iterator[tuple[str, DocumentBatch]]:
    texts: dict[str, list[str | None]] = {
        "empty": [],
        "null text": [None, "a document", None],
        "empty text": ["", " ", "\n\n"],
        "odd text": ["\x00", "é" * 3, "日本語の文", "👩‍👩‍👧", "\u2028a\u0085b", "a" * 4096],
        "huge text": ["word " * (HUGE_CHARACTERS // 5), "x" * HUGE_CHARACTERS],
        "many rows": ["a line of text"] * MANY_ROWS,
    }
    needed = list(dict.fromkeys([*(stage.inputs()[1] or ["text"]), *columns]))
    for name, documents in texts.items():
        n = len(documents)
        arrays = {column: _column(columns.get(column, documents), n) for column in needed}
        yield (
            name,
            DocumentBatch("check", pa.table(arrays), name, records=np.arange(n), _origin=Origin(None, name)),
        )


def _column(values: list[Any], n: int) -> pa.Array:
    if not n:
        return pa.array(values[:1]).slice(0, 0) if values else pa.array([], pa.large_string())
    return pa.array([values[i % len(values)] for i in range(n)])


def _engines(device: Device) -> list[Callable[[DocumentBatch], frame.Table]]:
    """What a stage can be given: readers make Arrow, other stages pandas, which can be changed in place."""
    if device == "cuda":
        return [DocumentBatch.to_cudf]
    return [DocumentBatch.to_pyarrow, DocumentBatch.to_pandas]


def _pickled(stage: Stage) -> Stage:
    try:
        copy: Stage = pickle.loads(cloudpickle.dumps(stage))
    except Exception as error:
        raise StageError(f"stage {stage.name!r} cannot be sent to a worker: {error}", stage.name) from error
    return copy


def _try(stage: Stage, case: str, batch: DocumentBatch) -> None:
    before = _deep_copy(batch.data)
    results = _run(stage, case, batch)
    if not _same(batch.data, before):
        raise StageError(
            f"stage {stage.name!r} changed the batch it was given ({case}): make a new one", stage.name
        )
    for task in results:
        missing = set(stage.outputs()[1]) - set(task.get_columns())
        if isinstance(task, DocumentBatch) and missing:
            raise StageError(
                f"stage {stage.name!r} declares {sorted(missing)} and does not make it ({case})", stage.name
            )
    if stage.splittable and batch.num_items > 1:
        middle = batch.num_items // 2
        halves = _run(stage, case, batch.rows(0, middle), batch.rows(middle, batch.num_items))
        _compare(stage, case, _rows(results), _rows(halves))


def _rows(tasks: list[Task[Any]]) -> list[str]:
    """Documents that were made, in order, each as what people can read."""
    documents = [task for task in tasks if isinstance(task, DocumentBatch) and task.num_items]
    tables = [frame.to_arrow(task.data) for task in documents]
    try:
        joined = pa.concat_tables(tables or [pa.table({})], promote_options="permissive")
    except pa.ArrowTypeError:  # numbers here and text there: as they are, then
        return [repr(row) for table in tables for row in table.to_pylist()]
    return [repr(row) for row in joined.to_pylist()]


def _compare(stage: Stage, case: str, whole: list[str], halves: list[str]) -> None:
    if whole == halves:
        return
    differing = next((pair for pair in zip(whole, halves, strict=False) if pair[0] != pair[1]), None)
    found = f"{len(whole)} rows of a batch and {len(halves)} of its halves"
    if differing is not None:
        found = f"{differing[0][:LONGEST_ROW]} of a batch and {differing[1][:LONGEST_ROW]} of its halves"
    raise StageError(
        f"stage {stage.name!r} made {found} ({case}): set splittable=False on it, so that its batches are "
        "neither cut nor joined, or let what it makes of a row depend on no other row",
        stage.name,
    )


def _run(stage: Stage, case: str, *batches: DocumentBatch) -> list[Task[Any]]:
    try:
        copy.copy(stage).setup_on_node()
        try:
            stage.setup()
            stage.bind(UnitContext("check"))
            results = list(Chain([stage]).run(batches))
            for task in results:
                pickle.loads(cloudpickle.dumps(task))
            return results
        finally:
            stage.teardown()
    except Exception as error:
        said = error.__cause__ if isinstance(error, StageError) and error.__cause__ else error
        raise StageError(
            f"stage {stage.name!r} failed on {case}: {type(said).__name__}: {said}", stage.name
        ) from said


def _deep_copy(table: frame.Table) -> frame.Table:
    return table.copy(deep=True) if hasattr(table, "copy") else table  # Arrow's cannot be changed


def _same(one: frame.Table, other: frame.Table) -> bool:
    return type(one) is type(other) and frame.to_arrow(one).equals(frame.to_arrow(other))
