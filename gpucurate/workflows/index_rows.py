"""Lists of documents, as people give them: ``path`` and ``row`` of each, in Parquet or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.spec.errors import InputError, one_line

Rows = dict[str, npt.NDArray[np.int64]]
"""Ascending rows of each path."""

_MOST = 2**63 - 1

_SHAPE = 'Parquet with the columns path and row, or lines such as {"path": "a.jsonl", "row": 7}'


def read_rows(path: Path) -> Rows:
    """The rows of each path that a file names.

    Args:
        path: of Parquet by its suffix, else JSON lines. A cluster artefact is such a list.

    Raises:
        InputError: not such a file.
    """
    found: dict[str, list[int]] = {}
    for name, row in _parquet(path) if path.suffix == ".parquet" else _lines(path):
        found.setdefault(name, []).append(row)
    return {name: np.unique(np.array(rows, np.int64)) for name, rows in found.items()}


def _parquet(path: Path) -> Iterator[tuple[str, int]]:
    try:
        with path.open("rb") as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=["path", "row"]):
                for entry in batch.to_pylist():
                    if entry["row"] is not None:  # of such a document it is not known which one it is
                        yield _named(entry["path"], entry["row"], f"a row of {path}")
    except (OSError, KeyError, pa.ArrowException) as error:
        raise InputError(f"cannot read documents from {path}: {one_line(error)}; give {_SHAPE}") from error


def _lines(path: Path) -> Iterator[tuple[str, int]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read documents from {path}: {error.strerror or error}") from error
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            yield _entry(line, f"line {number} of {path}")


def _entry(line: bytes, where: str) -> tuple[str, int]:
    try:
        values: Any = orjson.loads(line)
        name, row = values["path"], values["row"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{where} names no document ({error}): give {_SHAPE}") from error
    return _named(name, row, where)


def _named(name: Any, row: Any, where: str) -> tuple[str, int]:
    is_row = isinstance(row, int) and not isinstance(row, bool) and 0 <= row <= _MOST
    if not isinstance(name, str) or not is_row:
        raise InputError(f"{where} names no document (path={name!r}, row={row!r}): give {_SHAPE}")
    return name, row
