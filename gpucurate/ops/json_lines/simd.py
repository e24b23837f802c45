"""Sixty-four bytes at a time, for the compiled loops of this package.

numba's own loops cannot say "which of these bytes"; LLVM's vectors can, and become AVX2, AVX-512 or
NEON as the machine has it. A mask is a uint64 whose bit k speaks for byte ``i + k``. All of
these read 64 bytes from ``i`` on: the caller sees that they are there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.imputils import impl_ret_untracked
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

WIDTH = 64
_VECTOR = ir.VectorType(ir.IntType(8), WIDTH)


def _address(context: Any, builder: Any, kind: Any, array: Any, i: Any) -> Any:
    """Pointer to the vector at ``array[i]``."""
    data = make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [i]), _VECTOR.as_pointer())


def _load(context: Any, builder: Any, kind: Any, array: Any, i: Any) -> Any:
    return builder.load(_address(context, builder, kind, array, i), align=1)


def _all(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * WIDTH)


def _mask_of(test: Callable[[Any, Any], Any]) -> Any:
    """An intrinsic ``(uint8 array, position) -> uint64`` from a test of one vector."""

    @intrinsic
    def mask(typing_context: Any, data: Any, i: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            vector = _load(context, builder, signature.args[0], *args)
            bits = builder.bitcast(test(builder, vector), ir.IntType(WIDTH))
            return impl_ret_untracked(context, builder, signature.return_type, bits)

        return types.uint64(data, types.intp), generate

    return mask


def _is_newline(builder: Any, vector: Any) -> Any:
    return builder.icmp_unsigned("==", vector, _all(10))


def _is_quote(builder: Any, vector: Any) -> Any:
    return builder.icmp_unsigned("==", vector, _all(34))


def _is_backslash(builder: Any, vector: Any) -> Any:
    return builder.icmp_unsigned("==", vector, _all(92))


def _is_special(builder: Any, vector: Any) -> Any:
    """Quote, backslash, control character or non-ASCII: as signed bytes, the last two are below 32."""
    quote_or_backslash = builder.or_(_is_quote(builder, vector), _is_backslash(builder, vector))
    return builder.or_(builder.icmp_signed("<", vector, _all(32)), quote_or_backslash)


newline_mask = _mask_of(_is_newline)
quote_mask = _mask_of(_is_quote)
backslash_mask = _mask_of(_is_backslash)
special_mask = _mask_of(_is_special)


@intrinsic
def first_bit(typing_context: Any, mask: Any) -> Any:
    """Position of the lowest set bit of a uint64; 64 of 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zeros = builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))
        return builder.zext(zeros, ir.IntType(64))

    return types.int64(types.uint64), generate


@intrinsic
def copy_block(typing_context: Any, data: Any, i: Any, out: Any, o: Any) -> Any:
    """Copy the 64 bytes at ``data[i]`` to ``out[o]``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = _load(context, builder, signature.args[0], args[0], args[1])
        builder.store(vector, _address(context, builder, signature.args[2], args[2], args[3]), align=1)
        return context.get_dummy_value()

    return types.void(data, types.intp, out, types.intp), generate
