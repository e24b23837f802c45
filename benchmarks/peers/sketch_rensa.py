"""rensa: lists of shingles to signatures, one document a call so that shingles do not pile up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rensa import CMinHash, RMinHash

from benchmarks.peers.sketching import NGRAM, PERMUTATIONS, Task, Variant, main, shingles

SEED = 42
BASE = np.uint64(0x9E3779B97F4A7C15)
SHIFT = np.uint64(32)
REMARK = "Fast Similarity Sketching, three rounds at most, 32 bits; no band keys; sketches can be updated"


def variants(task: Task) -> list[Variant]:
    """Its full-set sketches, the one of sampled tokens, and hashes that the user brings."""
    cut = shingles(task)

    def update(documents: list[str]) -> None:
        for text in task.texts(documents):
            RMinHash(PERMUTATIONS, SEED).update(cut(text))

    def matrix(documents: list[str]) -> None:
        for text in task.texts(documents):
            RMinHash.digest_matrix_from_token_sets([cut(text)], PERMUTATIONS, SEED)

    def c_minhash(documents: list[str]) -> None:
        for text in task.texts(documents):
            CMinHash.digests64_from_token_sets([cut(text)], PERMUTATIONS, SEED)

    def rho(documents: list[str]) -> None:
        for text in task.texts(documents):
            RMinHash.digest_matrix_from_token_sets_rho([cut(text)], PERMUTATIONS, SEED)

    found = [
        Variant("RMinHash.update", update, REMARK),
        Variant("RMinHash, digest matrix", matrix, "the same signature without an object"),
        Variant("CMinHash", c_minhash, "two permutations, circulant"),
        Variant("RMinHash, rho", rho, "samples tokens: not the full set", full_set=False),
    ]
    return found + (_vectorised(task) if task.shingle == "char" else [])


def _vectorised(task: Task) -> list[Variant]:
    """What a user gets who makes shingles, or their hashes, with numpy."""

    def windows(documents: list[str]) -> None:
        for text in task.texts(documents):
            RMinHash.digest_matrix_from_token_sets([window_strings(text)], PERMUTATIONS, SEED)

    def hashes(documents: list[str]) -> None:
        for text in task.texts(documents):
            found = window_hashes(text)
            RMinHash.digest_matrix_from_flat_token_hashes(found, [0, len(found)], PERMUTATIONS, SEED)

    cut_remark = "shingles cut by numpy, hashed by rensa"
    hash_remark = "polynomial of code points by numpy, not by rensa; it only sketches"
    return [
        Variant("RMinHash, digest matrix, numpy windows", windows, cut_remark, by_hand=True),
        Variant("RMinHash, flat token hashes", hashes, hash_remark, by_hand=True),
    ]


def window_strings(text: str) -> list[str]:
    """The 5-grams of characters, cut by numpy."""
    if len(text) < NGRAM:
        return [text]
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    cut = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(points, NGRAM))
    found: list[str] = cut.view(f"<U{NGRAM}").ravel().tolist()
    return found


def window_hashes(text: str) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each 5-gram of characters."""
    narrow = np.frombuffer(text.encode(*(["latin-1"] if text.isascii() else ["utf-32-le"])), _width(text))
    points = narrow.astype(np.uint64)
    count = max(1, len(points) - NGRAM + 1)
    found = np.zeros(count, np.uint64)
    for i in range(min(NGRAM, len(points))):
        found *= BASE
        found += points[i : i + count]
    found *= BASE
    found ^= found >> SHIFT
    return found


def _width(text: str) -> type[np.unsignedinteger]:
    return np.uint8 if text.isascii() else np.uint32


if __name__ == "__main__":
    main(variants)
