"""gpucurate: text to band keys."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.peers.sketching import BANDS, NGRAM, ROWS, Task, Variant, main
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams, band_keys
from gpucurate.ops.normalize import normalize

REMARK = "128 permutations in 32 bits, 16 band keys ready to sort; keeps no sketch to update or to query"
FSS = "Fast Similarity Sketching, as rensa has it, in place of 128 permutations"


def variants(task: Task) -> list[Variant]:
    """From Arrow's buffers, as the pipeline has them, and from Python strings, as the peers get them."""
    params = MinHashParams(BANDS, ROWS, task.shingle, NGRAM)  # type: ignore[arg-type]

    def from_buffers(text: TextBuffers) -> None:
        band_keys(normalize(text) if task.normalize else text, params)

    def from_strings(documents: list[str]) -> None:
        from_buffers(TextBuffers.from_strings(documents))

    def fss(text: TextBuffers) -> None:
        band_keys(normalize(text) if task.normalize else text, replace(params, rule="fss"))

    return [
        Variant("band_keys, Python strings", from_strings, REMARK),
        Variant("band_keys, Arrow buffers", from_buffers, "the same, without the copy", prepare=_buffers),
        Variant("band_keys, Arrow buffers, fss", fss, FSS, prepare=_buffers),
    ]


def _buffers(documents: list[str]) -> TextBuffers:
    return TextBuffers.from_strings(documents)


if __name__ == "__main__":
    main(variants)
