"""Components by several bands each, put together: what several devices found, or several runs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from gpucurate.ops.union_find import flatten, hook_pairs

Ids = npt.NDArray[np.uint32]

_BLOCK = 1 << 20


def divide_bands(bands: int, gpus: int, *, wide: bool = False) -> list[list[int]]:
    """Bands for each of several GPUs, neighbours together, as evenly as can be.

    A key of two words is not divided: it is the work of one GPU.

    Args:
        bands: keys a document; with ``wide`` the two words of one key.
        gpus: how many there are, at least one.
        wide: whether keys are 128 bits.

    Returns:
        Up to ``gpus`` lists, none empty.

    >>> divide_bands(14, 4)
    [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10], [11, 12, 13]]
    """
    parts = 1 if wide else min(bands, gpus)
    return [part.tolist() for part in np.array_split(np.arange(bands), parts)]


def merge_forests(forests: Iterable[Ids]) -> Ids:
    """The components of records that any of the forests joins.

    Each record is hooked to its parent in every forest (union-find; docs/algorithms.md), so that the result
    does not depend on how the bands were divided.

    Args:
        forests: one or more, each uint32[records]: of each record one of its component, a root its own. They
            are asked for one by one, so that one at a time has to be held.

    Returns:
        uint32[records], the smallest record of each component.

    Raises:
        ValueError: no forest, forests of different lengths, or a parent that is no record.

    >>> merge_forests([np.array([0, 0, 2, 3], np.uint32), np.array([0, 1, 1, 3], np.uint32)])
    array([0, 0, 0, 3], dtype=uint32)
    """
    merged = None
    for forest in forests:
        if merged is None:
            merged = np.arange(len(forest), dtype=np.uint32)
        elif len(forest) != len(merged):
            raise ValueError(f"forests of {len(merged):,} and {len(forest):,} records cannot be merged")
        _hook(forest, merged)
    if merged is None:
        raise ValueError("there is no forest to be merged: give at least one")
    flatten(merged)
    return merged


def _hook(forest: Ids, merged: Ids) -> None:
    for first in range(0, len(forest), _BLOCK):
        parents = forest[first : first + _BLOCK]
        records = np.arange(first, first + len(parents), dtype=np.uint32)
        joined = parents != records
        hook_pairs(parents[joined], records[joined], merged)
