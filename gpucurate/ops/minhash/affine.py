# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Minimum of ``a_k * h_i + b_k`` over i, for many k: the innermost loop of the rules of nvtext.

Vector code as in ``extremes``, and for its reasons: multipliers, addends and minima stay in
registers while the hashes stream past.
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

LANES = 16
"""The arrays over k are padded to a multiple of this."""

_PRIME = 2**61 - 1


def _modulo_prime(builder: ir.IRBuilder, value: ir.Value, vector: ir.VectorType) -> ir.Value:
    """``value mod 2^61-1`` of 64-bit lanes: 2^61 counts as 1, then at most one subtraction."""

    def constant(number: int) -> ir.Constant:
        return ir.Constant(vector, [number] * vector.count)

    folded = builder.add(builder.and_(value, constant(_PRIME)), builder.lshr(value, constant(61)))
    less = builder.sub(folded, constant(_PRIME))  # wraps to a large number if there is nothing to subtract
    return builder.select(builder.icmp_unsigned("<", less, folded), less, folded)


def _lower_lanes_codegen(bits: int, width: int) -> Any:
    """Code generator for ``width`` permutations at once."""
    word = ir.IntType(bits)
    vector = ir.VectorType(word, width)
    first_lane = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        def element(argument: int, index: ir.Value) -> ir.Value:
            array = context.make_array(signature.args[argument])(context, builder, args[argument])
            return builder.gep(array.data, [index])

        def lanes(argument: int) -> ir.Value:
            return builder.bitcast(element(argument, args[5]), vector.as_pointer())

        def load(argument: int) -> ir.Value:
            return builder.load(lanes(argument), align=bits // 8)

        multipliers, addends = load(2), load(3)
        low = cgutils.alloca_once_value(builder, load(4))
        with cgutils.for_range(builder, args[1]) as loop:
            hashed = builder.load(element(0, loop.index))
            single = builder.insert_element(ir.Constant(vector, ir.Undefined), hashed, ir.IntType(32)(0))
            spread = builder.shuffle_vector(single, single, first_lane)
            value = builder.add(builder.mul(multipliers, spread), addends)
            if bits == 64:
                value = _modulo_prime(builder, value, vector)
            current = builder.load(low)
            builder.store(builder.select(builder.icmp_unsigned("<", value, current), value, current), low)
        builder.store(builder.load(low), lanes(4), align=bits // 8)
        return context.get_dummy_value()

    return codegen


def _signature_of(hashes: Any, multipliers: Any, addends: Any, lows: Any) -> Any:
    return types.none(hashes, types.intp, multipliers, addends, lows, types.intp)


@intrinsic
def _lower_32(typing_context, hashes, count, multipliers, addends, lows, lane):  # type: ignore[no-untyped-def]
    return _signature_of(hashes, multipliers, addends, lows), _lower_lanes_codegen(32, 32)


@intrinsic
def _lower_16(typing_context, hashes, count, multipliers, addends, lows, lane):  # type: ignore[no-untyped-def]
    return _signature_of(hashes, multipliers, addends, lows), _lower_lanes_codegen(32, 16)


@intrinsic
def _lower_16_long(typing_context, hashes, count, multipliers, addends, lows, lane):  # type: ignore[no-untyped-def]
    return _signature_of(hashes, multipliers, addends, lows), _lower_lanes_codegen(64, 16)


def padded(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers filled up with zeros to a multiple of ``LANES``; read-only."""
    room = np.zeros(-(-len(numbers) // LANES) * LANES, numbers.dtype)
    room[: len(numbers)] = numbers
    room.flags.writeable = False
    return room


@kernel
def lower_affine32(
    hashes: npt.NDArray[np.uint32],
    count: int,
    multipliers: npt.NDArray[np.uint32],
    addends: npt.NDArray[np.uint32],
    lows: npt.NDArray[np.uint32],
) -> None:
    """Lower ``lows[k]`` to ``multipliers[k] * hashes[i] + addends[k] mod 2^32`` for i < count.

    The three arrays over k are uint32 of one length, a multiple of ``LANES``.
    """
    lane = 0
    while lane + 32 <= len(multipliers):
        _lower_32(hashes, count, multipliers, addends, lows, lane)
        lane += 32
    if lane < len(multipliers):
        _lower_16(hashes, count, multipliers, addends, lows, lane)


@kernel
def lower_affine64(
    hashes: npt.NDArray[np.uint64],
    count: int,
    multipliers: npt.NDArray[np.uint64],
    addends: npt.NDArray[np.uint64],
    lows: npt.NDArray[np.uint64],
) -> None:
    """Lower ``lows[k]`` to ``(multipliers[k] * hashes[i] + addends[k] mod 2^64) mod 2^61-1``.

    As :func:`lower_affine32`, with uint64.
    """
    for lane in range(0, len(multipliers), LANES):
        _lower_16_long(hashes, count, multipliers, addends, lows, lane)
