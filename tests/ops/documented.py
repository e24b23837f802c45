"""Values that cuDF 26.10 prints in its docstrings and asserts in its tests: an oracle that needs no GPU."""

from __future__ import annotations

from dataclasses import dataclass

DOCUMENTS = ["this is my", "favorite book", None, ""]

INTEGERS = [10, 120, 30]
MURMUR3 = {0: [4004982076, 2063150778, 699010651], 42: [4279022973, 1654398277, 1497690768]}
"""By seed, of ``INTEGERS`` as int64: docstring of ``Series.hash_values``."""


@dataclass(frozen=True)
class Permuted:
    """``Series.str.minhash(0, a, b, width=5)`` of the first of ``DOCUMENTS``."""

    bits: int
    a: list[int]
    b: list[int]
    values: list[list[int]]


DOCSTRING = Permuted(
    32, [1, 2, 3], [4, 5, 6], [[1305480171, 462824409, 74608232], [32665388, 65330773, 97996158]]
)
"""Docstring of ``Series.str.minhash``."""

TESTED32 = Permuted(
    32,
    [1, 2, 3],
    [1, 2, 3],
    [[1305480168, 462824406, 74608229], [32665385, 65330770, 97996155], [0] * 3, [0] * 3],
)
TESTED64 = Permuted(
    64,
    [1, 2, 3],
    [1, 2, 3],
    [
        [105531920695060180, 172452388517576009, 316595762085180524],
        [35713768479063122, 71427536958126236, 58787297728258212],
        [0] * 3,
        [0] * 3,
    ],
)
"""``test_minhash_permuted`` of cuDF's ``python/cudf/cudf/tests``: both widths of hash, null and empty."""

PERMUTED = {"docstring": DOCSTRING, "test of 32 bits": TESTED32, "test of 64 bits": TESTED64}
