"""datasketch: sets of encoded shingles to signatures."""

from __future__ import annotations

from datasketch import MinHash
from xxhash import xxh32_intdigest

from benchmarks.peers.sketching import PERMUTATIONS, Task, Variant, main, shingles

REMARK = (
    "128 permutations in 32 bits, SHA-1 of each shingle; no band keys; sketches can be updated and merged"
)


def variants(task: Task) -> list[Variant]:
    """Its two interfaces, and the faster of them with a faster hash."""
    cut = shingles(task)

    def encoded(text: str) -> set[bytes]:
        return {shingle.encode() for shingle in set(cut(text))}

    def update_batch(documents: list[str]) -> None:
        for text in task.texts(documents):
            MinHash(num_perm=PERMUTATIONS).update_batch(encoded(text))

    def bulk(documents: list[str]) -> None:
        for _ in MinHash.generator(map(encoded, task.texts(documents)), num_perm=PERMUTATIONS):
            pass

    def bulk_xxhash(documents: list[str]) -> None:
        sets = map(encoded, task.texts(documents))
        for _ in MinHash.generator(sets, num_perm=PERMUTATIONS, hashfunc=xxh32_intdigest):
            pass

    return [
        Variant("MinHash.update_batch", update_batch, REMARK),
        Variant("MinHash.bulk", bulk, "the same, one set of permutations for all"),
        Variant("MinHash.bulk, xxhash", bulk_xxhash, "hashfunc=xxh32_intdigest instead of SHA-1"),
    ]


if __name__ == "__main__":
    main(variants)
