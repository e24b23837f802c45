"""Equal keys to joined documents, on a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpucurate.ops.cuda import Device
from gpucurate.ops.grouping.cuda import sort_columns, sort_pairs
from gpucurate.ops.union_find.cuda import hook_runs, hook_runs128

JOIN_BYTES = {1: 44, 2: 48}
"""Bytes a pair that joining takes beside the pairs themselves, by words of a key."""


def join_equal(words: Sequence[Any], ids: Any, parents: Any, device: Device) -> None:
    """Join the documents that have equal keys; what is given stays as it is.

    Args:
        words: one or two, each uint64[n].
        ids: uint32[n].
        parents: uint32, one entry a document; updated.
        device: where the arrays are.
    """
    if len(words) == 2:
        hook_runs128(*sort_columns(words[0], words[1], ids, device), parents, device)
        return
    scratch = device.xp.empty_like(words[0]), device.xp.empty_like(ids)
    hook_runs(*sort_pairs(words[0], ids, *scratch, device), parents, device)
