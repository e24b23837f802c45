"""Settings under which others have published corpora."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.ops.minhash.params import MinHashParams


@dataclass(frozen=True, slots=True)
class MinHashPreset:
    """A sketch, and whether the text is normalised (``ops.normalize``) before it is taken."""

    params: MinHashParams
    normalize: bool


PRESETS: dict[str, MinHashPreset] = {
    "default": MinHashPreset(MinHashParams(16, 8, "char", 5), normalize=True),
    # NeMo Curator's FuzzyDeduplicationWorkflow: 24 characters, 20 bands of 13, seed 42, raw text,
    # and its very values, so that the pairs found are its own.
    "nemo": MinHashPreset(MinHashParams(20, 13, "char", 24, seed=42, rule="nvtext32"), normalize=False),
    # FineWeb (arXiv 2406.17557): 5 words, 14 buckets of 8.
    "fineweb": MinHashPreset(MinHashParams(14, 8, "word", 5), normalize=True),
    # Dolma 3: its tool Duplodocus takes 26 buckets of 11 over 5-grams of tokenizer pieces.
    # Words stand in for the pieces here.
    "dolma": MinHashPreset(MinHashParams(26, 11, "word", 5), normalize=True),
}
