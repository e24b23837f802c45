"""cuDF's names over pandas, as far as the GPU benchmark's baseline calls them: for its logic, not speed.

Stricter where cuDF is: merging does not keep the order of rows. Minhash has the values of cuDF's, from the
project's CPU implementation, which tests hold against cuDF's documented ones.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cupy
import numpy as np
import pandas as pd
import pyarrow as pa
from pandas import DataFrame, Series, concat

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import PRESETS, signatures

__all__ = ["DataFrame", "Series", "concat", "read_json", "read_parquet"]


def read_json(
    paths: Any, engine: str, lines: bool, dtype: dict[str, str], prune_columns: bool
) -> pd.DataFrame:
    """Files of JSON lines, one or several, as one frame."""
    assert engine == "cudf"
    listed = paths if isinstance(paths, list) else [paths]
    joined = pd.concat([pd.read_json(path, lines=lines) for path in listed], ignore_index=True)
    return joined[list(dtype)] if prune_columns else joined


def read_parquet(paths: Any, columns: list[str] | None = None) -> pd.DataFrame:
    """Files of Parquet, one or several, as one frame."""
    listed = paths if isinstance(paths, list) else [paths]
    return pd.concat([pd.read_parquet(path, columns=columns) for path in listed], ignore_index=True)


def _minhash(self: Any, seed: int, a: pd.Series, b: pd.Series, width: int) -> pd.Series:
    nemo = PRESETS["nemo"].params
    params = nemo if a.dtype == np.uint32 else replace(nemo, rule="nvtext64")
    multipliers, addends = params.permutations()
    assert seed == multipliers[0]
    assert (a == multipliers).all()
    assert (b == addends).all()
    assert width == params.ngram
    made = signatures(TextBuffers.from_arrow(pa.array(self._orig.tolist(), pa.string())), params)
    return pd.Series(list(made))


class _Lists:
    """``Series.list``."""

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    @property
    def leaves(self) -> Any:
        """All elements; their ``values`` lie on the device."""
        return SimpleNamespace(values=cupy.asarray(np.concatenate(self._series.tolist())))

    def get(self, index: int) -> pd.Series:
        """An element of each row."""
        return self._series.map(lambda values: values[index])


def _hash_values(self: pd.DataFrame, method: str) -> pd.Series:
    assert method == "xxhash64"
    return pd.util.hash_pandas_object(self.astype(np.int64), index=False)


_merge, _to_json = pd.DataFrame.merge, pd.DataFrame.to_json


def _shuffled(self: pd.DataFrame, *args: Any, **kwargs: Any) -> pd.DataFrame:
    return _merge(self, *args, **kwargs).sample(frac=1, random_state=0, ignore_index=True)


def _written(self: pd.DataFrame, path: str, engine: str, **kwargs: Any) -> None:
    assert engine == "cudf"
    _to_json(self, path, **kwargs)


type(pd.Series([""]).str).minhash = _minhash
type(pd.Series([""]).str).minhash64 = _minhash
pd.Series.list = property(_Lists)
pd.DataFrame.hash_values = _hash_values
pd.DataFrame.merge = _shuffled
pd.DataFrame.to_json = _written
