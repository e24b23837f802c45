"""cuDF's names (26.10) over the memory of the emulated device, as far as the project and its tests use them.

A stand-in for a library that cannot run without a GPU, not a mock of the project's own. Frames hold columns
of the stand-in of pylibcudf and hand them out as they are; what is computed, pandas computes.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cudf._frame import DataFrame
from cudf._series import Series

__all__ = ["DataFrame", "Series", "concat"]
__version__ = "26.10.2+emulated"


def concat(objs: Sequence[DataFrame], ignore_index: bool = False) -> DataFrame:
    """The rows of frames of the device, in order."""
    if not all(isinstance(each, DataFrame) for each in objs):
        raise TypeError(f"cannot concatenate object of type {[type(each) for each in objs]}")
    return DataFrame.from_pandas(pd.concat([each.to_pandas() for each in objs], ignore_index=ignore_index))
