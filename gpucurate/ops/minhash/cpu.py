"""MinHash on the CPU."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.buffers import read_only, text_arrays
from gpucurate.ops.compiled import is_cached, kernel
from gpucurate.ops.minhash.params import MinHashParams


def band_keys(
    text: TextBuffers, params: MinHashParams
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """See the contract."""
    keys = np.empty((len(text), params.bands), np.uint64)
    return keys, _sketch(text, params, keys, np.empty((0, 0), params.value_type))


def signatures(text: TextBuffers, params: MinHashParams) -> npt.NDArray[Any]:
    """See the contract."""
    values = np.empty((len(text), params.num_permutations), params.value_type)
    _sketch(text, params, np.empty((0, 0), np.uint64), values)
    return values


def keys_and_signatures(
    text: TextBuffers, params: MinHashParams
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_], npt.NDArray[Any]]:
    """See the contract."""
    keys = np.empty((len(text), params.bands), np.uint64)
    values = np.empty((len(text), params.num_permutations), params.value_type)
    return keys, _sketch(text, params, keys, values), values


def _sketch(
    text: TextBuffers, params: MinHashParams, keys: npt.NDArray[np.uint64], values: npt.NDArray[Any]
) -> npt.NDArray[np.bool_]:
    """Fill whichever of ``keys`` and ``values`` has rows; which documents have a shingle."""
    data, offsets = text_arrays(text)
    has_keys: npt.NDArray[np.bool_] = _rule_module(params).sketch(data, offsets, params, keys, values)
    return has_keys


def _rule_module(params: MinHashParams) -> Any:
    """The module named after the rule: loaded, and compiled, when it is first used."""
    return import_module(f"{__package__}.{params.rule}")


def is_compiled(params: MinHashParams) -> bool:
    """Whether the kernel of the rule lies on disk."""
    return is_cached(_rule_module(params).sketch_documents)


def equal_values(
    signatures: npt.NDArray[Any], left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """See the contract."""
    counts = np.zeros(len(left), np.uint32)
    values = read_only(signatures, signatures.dtype.type)
    _count_equal(values, read_only(left, np.uint32), read_only(right, np.uint32), counts)
    return counts


@kernel
def _count_equal(
    values: npt.NDArray[Any],
    left: npt.NDArray[np.uint32],
    right: npt.NDArray[np.uint32],
    counts: npt.NDArray[np.uint32],
) -> None:
    for i in range(len(counts)):
        one, other, count = values[left[i]], values[right[i]], np.uint32(0)
        for k in range(len(one)):
            count += np.uint32(one[k] == other[k])
        counts[i] = count
