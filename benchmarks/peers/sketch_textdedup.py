"""text-dedup: the function that its MinHash command maps over a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import text_dedup.minhash as minhash
from text_dedup.utils import xxh3_32hash

from benchmarks.peers.sketching import BANDS, NGRAM, PERMUTATIONS, ROWS, Task, Variant, main

PRIME, LOWEST = np.uint32(2**32 - 5), np.uint32(2**32 - 1)


class Characters:
    """Stands in for the pattern at which text-dedup splits: every character is a token."""

    @staticmethod
    def split(text: str) -> list[str]:
        return list(text)


def variants(task: Task) -> list[Variant]:
    """Its two widths of hashes: the default of 64 bits with SHA-1, and 32 bits with xxh3."""
    if task.shingle == "char":
        minhash.NON_ALPHA = Characters
    cut = "lower case, " + ("characters in place of words" if task.shingle == "char" else r"words between \W")
    wide = _embed(task, np.uint64, np.uint64(2**61 - 1), minhash.sha1_hash)
    narrow = _embed(task, np.uint32, PRIME, xxh3_32hash)
    return [
        Variant("embed_func, 64 bits, SHA-1", wide, f"its default; {cut}; keys of bands are bytes"),
        Variant("embed_func, 32 bits, xxh3", narrow, "--hash_bits 32 --hash_func xxh3"),
    ]


def _embed(task: Task, dtype: Any, prime: Any, hashed: Callable[[bytes], int]) -> Callable[[list[str]], None]:
    rng = np.random.RandomState(42)
    permutations = tuple(rng.randint(low, prime, size=PERMUTATIONS, dtype=dtype) for low in (1, 0))
    arguments = {
        "num_perm": PERMUTATIONS,
        "ngram_size": NGRAM,
        "min_length": 1,
        "hashranges": [(i * ROWS, (i + 1) * ROWS) for i in range(BANDS)],
        "permutations": permutations,
        "hash_func": hashed,
        "dtype": dtype,
        "max_hash": LOWEST,
        "modulo_prime": prime,
    }

    def sketch(documents: list[str]) -> None:
        for i, text in enumerate(task.texts(documents)):
            minhash.embed_func(text, i, **arguments)

    return sketch


if __name__ == "__main__":
    main(variants)
