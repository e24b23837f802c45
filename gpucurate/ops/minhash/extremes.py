# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Minimum and maximum of ``a_j * x_i`` over i, for many j: the innermost loop.

Written as vector code: 32 multipliers with their minima and maxima stay in registers (6 of
AVX-512, 12 of AVX2) while the shingles stream past, each read once and spread over the lanes. A
loop over shingles for one multiplier at a time, which is what a compiler finds by itself,
pays for a horizontal minimum at its end and is slow on short documents.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gpucurate.ops.compiled import kernel


def _update_lanes_codegen(width: int) -> Any:
    """Code generator for ``width`` multipliers at once."""
    word = ir.IntType(32)
    vector = ir.VectorType(word, width)
    first_lane = ir.Constant(vector, [0] * width)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        def element(argument: int, index: ir.Value) -> ir.Value:
            array = context.make_array(signature.args[argument])(context, builder, args[argument])
            return builder.gep(array.data, [index])

        def lanes(argument: int) -> ir.Value:
            return builder.bitcast(element(argument, args[5]), vector.as_pointer())

        multipliers = builder.load(lanes(2), align=4)
        low = cgutils.alloca_once_value(builder, builder.load(lanes(3), align=4))
        high = cgutils.alloca_once_value(builder, builder.load(lanes(4), align=4))
        with cgutils.for_range(builder, args[1]) as loop:
            shingle = builder.load(element(0, loop.index))
            single = builder.insert_element(ir.Constant(vector, ir.Undefined), shingle, word(0))
            product = builder.mul(multipliers, builder.shuffle_vector(single, single, first_lane))
            for extreme, order in ((low, "<"), (high, ">")):
                current = builder.load(extreme)
                is_beyond = builder.icmp_unsigned(order, product, current)
                builder.store(builder.select(is_beyond, product, current), extreme)
        builder.store(builder.load(low), lanes(3), align=4)
        builder.store(builder.load(high), lanes(4), align=4)
        return context.get_dummy_value()

    return codegen


def _signature_of(hashes: Any, count: Any, multipliers: Any, lows: Any, highs: Any, lane: Any) -> Any:
    return types.none(hashes, types.intp, multipliers, lows, highs, types.intp)


@intrinsic
def _update_32_lanes(typing_context, hashes, count, multipliers, lows, highs, lane):  # type: ignore[no-untyped-def]
    return _signature_of(hashes, count, multipliers, lows, highs, lane), _update_lanes_codegen(32)


@intrinsic
def _update_16_lanes(typing_context, hashes, count, multipliers, lows, highs, lane):  # type: ignore[no-untyped-def]
    return _signature_of(hashes, count, multipliers, lows, highs, lane), _update_lanes_codegen(16)


@kernel
def update_extremes(
    hashes: npt.NDArray[np.uint32],
    count: int,
    multipliers: npt.NDArray[np.uint32],
    lows: npt.NDArray[np.uint32],
    highs: npt.NDArray[np.uint32],
) -> None:
    """Lower ``lows[j]`` and raise ``highs[j]`` to ``multipliers[j] * hashes[i]`` for i < count.

    The three arrays over j are uint32 of one length, a multiple of ``LANES``.
    """
    lane = 0
    while lane + 32 <= len(multipliers):
        _update_32_lanes(hashes, count, multipliers, lows, highs, lane)
        lane += 32
    if lane < len(multipliers):
        _update_16_lanes(hashes, count, multipliers, lows, highs, lane)
