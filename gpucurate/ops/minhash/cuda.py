"""MinHash on a CUDA device: ``kernels/minhash.cu`` and ``kernels/minhash_words.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import CUDA, Device, device_text
from gpucurate.ops.minhash.params import MinHashParams
from gpucurate.ops.unicode import unicode_tables
from gpucurate.spec.errors import NotOnDeviceError

MOST_LANE_MULTIPLIERS = 8
"""Multipliers that a lane keeps in registers, with their minima and maxima."""


def band_keys(text: TextBuffers, params: MinHashParams, device: Device = CUDA) -> tuple[Any, Any]:
    """See the contract."""
    keys = device.xp.empty((len(text), params.bands), np.uint64)
    _, has_keys = _sketch(text, params, device, keys)
    return keys, has_keys


def signatures(text: TextBuffers, params: MinHashParams, device: Device = CUDA) -> Any:
    """See the contract."""
    return _sketch(text, params, device, None)[0]


def keys_and_signatures(
    text: TextBuffers, params: MinHashParams, device: Device = CUDA
) -> tuple[Any, Any, Any]:
    """See the contract."""
    keys = device.xp.empty((len(text), params.bands), np.uint64)
    values, has_keys = _sketch(text, params, device, keys)
    return keys, has_keys, values


def lane_multipliers(params: MinHashParams) -> int:
    """How many multipliers a lane keeps: what ``-DLANE_MULTIPLIERS`` is given."""
    return min(-(-params.num_permutations // 64), MOST_LANE_MULTIPLIERS)


def _sketch(text: TextBuffers, params: MinHashParams, device: Device, keys: Any) -> tuple[Any, Any]:
    """Signatures, and which documents have a shingle; ``keys`` are filled unless None."""
    if params.rule != "affine32":
        raise NotOnDeviceError(
            f"rule {params.rule!r} of MinHash has no CUDA implementation: pass NumPy arrays"
        )
    xp = device.xp
    values = xp.full((len(text), params.num_permutations), 2**32 - 1, np.uint32)
    finished = xp.zeros(len(text), np.uint32)
    permutations = xp.asarray(params.multipliers()), *map(np.int32, (params.num_permutations, params.bands))
    common = *permutations, np.int32(params.rows), values
    if params.shingle == "word":
        found = xp.zeros(len(text), np.uint32)
        unicode = unicode_tables()
        tables = device.table(unicode.class_stage1), device.table(unicode.class_stage2)
        _launch(text, params, device, "minhash_words", (*tables, *common, found, finished, keys))
        return values, found != 0
    _launch(text, params, device, "minhash", (*common, finished, keys))
    return values, xp.diff(xp.asarray(text.offsets)) > 0


def _launch(
    text: TextBuffers, params: MinHashParams, device: Device, kernel: str, arguments: tuple[Any, ...]
) -> None:
    arrays = device_text(text, device)
    options = (f"-DLANE_MULTIPLIERS={lane_multipliers(params)}",)
    every = *arrays.arguments, np.int32(params.ngram), *arguments
    device.launch(kernel, kernel, arrays.chunks.total, every, options=options)
