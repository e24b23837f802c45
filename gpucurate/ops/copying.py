# ruff: noqa: PLR0917 - compiled functions take their arrays by position
"""Copying bytes within compiled functions."""

from __future__ import annotations

from typing import Any

from gpucurate.ops.compiled import kernel


@kernel
def copy_bytes(source: Any, begin: int, end: int, out: Any, at: int) -> None:
    """Copy ``source[begin:end]`` to ``out[at:]``; the two must not overlap.

    A loop that LLVM turns into vector moves. Assigning a slice would ask numba for memory,
    in case the arrays overlap.
    """
    for i in range(end - begin):
        out[at + i] = source[begin + i]
