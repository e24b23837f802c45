"""MinHash sketches of text and the band keys of locality-sensitive hashing."""

from gpucurate.ops.minhash.contract import band_keys, signatures
from gpucurate.ops.minhash.params import MinHashParams, candidate_probability
from gpucurate.ops.minhash.presets import PRESETS, MinHashPreset

__all__ = ["PRESETS", "MinHashParams", "MinHashPreset", "band_keys", "candidate_probability", "signatures"]
