"""Copying bytes within compiled functions."""

from __future__ import annotations

from typing import Any

from gpucurate.ops.compiled import kernel


@kernel
def copy_bytes(source: Any, begin: int, end: int, out: Any, at: int) -> None:
    """Copy ``source[begin:end]`` to ``out[at:]``; the two must not overlap.

    A loop that LLVM turns into vector moves, since its index cannot be negative. Assigning a
    slice to a slice would ask numba for memory, in case they overlap.
    """
    given, made = source[begin:end], out[at : at + end - begin]
    for i in range(len(given)):
        made[i] = given[i]
