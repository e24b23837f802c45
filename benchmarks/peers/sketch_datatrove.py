"""datatrove: the first stage of its deduplication, text to signatures, without the files."""

from __future__ import annotations

import tempfile

import numpy as np
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig

from benchmarks.peers.sketching import BANDS, NGRAM, ROWS, Task, Variant, char_shingles, main


def variants(task: Task) -> list[Variant]:
    """As shipped for words; for characters, its hash and its signature over 5-grams cut here."""
    config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
    step = MinhashDedupSignature(tempfile.gettempdir(), config)

    def shipped(documents: list[str]) -> None:
        for text in documents:
            step.get_signature(step.get_shingles(text))

    def characters(documents: list[str]) -> None:
        for text in task.texts(documents):
            hashed = np.fromiter(map(step._hash_func, char_shingles(text)), np.uint64)
            step.get_signature(hashed.reshape(-1, 1))

    if task.shingle == "word":
        remark = "always normalises (case, digits, punctuation, accents) and cuts words with spaCy; 64-bit"
        return [Variant("get_shingles, get_signature", shipped, remark)]
    remark = "5-grams cut in Python, xxhash64, 128 permutations in 64 bits, by band"
    return [Variant("get_signature, characters", characters, remark)]


if __name__ == "__main__":
    main(variants)
