"""MinHash on a CUDA device: ``kernels/minhash.cu``, ``nvtext.cu``, ``fss.cu``, ``equal_values.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda import CUDA, Device, DeviceText, class_tables, device_text
from gpucurate.ops.minhash.params import MinHashParams

MOST_MULTIPLIERS, MOST_PERMUTATIONS32, MOST_PERMUTATIONS64 = 8, 9, 5
"""What a lane keeps in registers at most, with minima and maxima; for more, chunks are hashed again."""

MOST_SHARED_SLOTS = 512
"""Slots of ``fss`` that a warp keeps in shared memory at most."""


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


def equal_values(signatures: Any, left: Any, right: Any, device: Device = CUDA) -> Any:
    """See the contract."""
    contiguous = device.xp.ascontiguousarray
    counts = device.xp.empty(len(left), np.uint32)
    columns = contiguous(left, np.uint32), contiguous(right, np.uint32), np.int64(len(left)), counts
    arguments = contiguous(signatures), np.int32(signatures.shape[1]), *columns
    options = (f"-DVALUE_BITS={8 * signatures.dtype.itemsize}",)
    device.launch("equal_values", "equal_values", len(left), arguments, options=options)
    return counts


def options_for(params: MinHashParams) -> tuple[str, ...]:
    """What the kernel of the rule is compiled with."""
    k, of_words = params.num_permutations, f"-DOF_WORDS={int(params.shingle == 'word')}"
    if params.rule == "affine32":
        return of_words, f"-DLANE_MULTIPLIERS={min(-(-k // 64), MOST_MULTIPLIERS)}"
    if params.rule == "fss":
        return of_words, f"-DSHARED_SLOTS={1 << (k - 1).bit_length() if k <= MOST_SHARED_SLOTS else 0}"
    bits, most = (32, MOST_PERMUTATIONS32) if params.rule == "nvtext32" else (64, MOST_PERMUTATIONS64)
    return f"-DVALUE_BITS={bits}", f"-DLANE_PERMUTATIONS={min(-(-k // 32), most)}"


def _sketch(text: TextBuffers, params: MinHashParams, device: Device, keys: Any) -> tuple[Any, Any]:
    """Signatures, and which documents have a shingle; ``keys`` are filled unless None."""
    shape, ones = (len(text), params.num_permutations), np.iinfo(params.value_type).max
    values = device.xp.full(shape, ones, params.value_type)
    sketch = {"affine32": _affine32, "fss": _fss}.get(params.rule, _nvtext)
    return values, sketch(device_text(text, device), params, device, values, keys)


def _affine32(text: DeviceText, params: MinHashParams, device: Device, values: Any, keys: Any) -> Any:
    xp, documents = device.xp, len(values)
    found, finished = xp.zeros(documents, np.uint32), xp.zeros(documents, np.uint32)
    shape = _sizes(params.num_permutations, params.bands, params.rows)
    arguments = (
        *text.arguments,
        *class_tables(device),
        np.int32(params.ngram),
        xp.asarray(params.multipliers()),
        *shape,
        values,
        found,
        finished,
        keys,
    )
    device.launch("minhash", "minhash", text.chunks.total, arguments, options=options_for(params))
    return found != 0


def _fss(text: DeviceText, params: MinHashParams, device: Device, values: Any, keys: Any) -> Any:
    xp, documents = device.xp, len(values)
    found, finished = xp.zeros(documents, np.uint32), xp.zeros(documents, np.uint32)
    shingles = *text.arguments, *class_tables(device), np.int32(params.ngram)
    rounds = *shingles, xp.asarray(params.multipliers()), np.int32(params.num_permutations)
    for kernel, more in (
        ("fss_first", (values, found)),
        ("fss_rest", (*_sizes(params.bands, params.rows), values, found, finished, keys)),
    ):
        device.launch("fss", kernel, text.chunks.total, (*rounds, *more), options=options_for(params))
    return found != 0


def _nvtext(text: DeviceText, params: MinHashParams, device: Device, values: Any, keys: Any) -> Any:
    xp = device.xp
    multipliers, addends = params.permutations()
    arguments = (
        *text.arguments,
        np.int32(params.ngram),
        multipliers[0],  # the seed of the hash
        xp.asarray(multipliers),
        xp.asarray(addends),
        *_sizes(params.num_permutations, params.bands, params.rows),
        values,
        xp.zeros(len(values), np.uint32),
        keys,
    )
    device.launch("nvtext", "nvtext", text.chunks.total, arguments, options=options_for(params))
    has_keys = xp.diff(text.offsets) > 0
    values[xp.flatnonzero(~has_keys)] = 0
    return has_keys


def _sizes(*numbers: int) -> tuple[np.int32, ...]:
    return tuple(map(np.int32, numbers))
