"""MinHash sketches of text and the band keys of locality-sensitive hashing."""

from gpucurate.ops.minhash.bands import candidate_probability, choose_bands, curve
from gpucurate.ops.minhash.contract import band_keys, equal_values, keys_and_signatures, signatures
from gpucurate.ops.minhash.params import MinHashParams, Rule
from gpucurate.ops.minhash.presets import PRESETS, MinHashPreset

__all__ = [
    "PRESETS",
    "MinHashParams",
    "MinHashPreset",
    "Rule",
    "band_keys",
    "candidate_probability",
    "choose_bands",
    "curve",
    "equal_values",
    "keys_and_signatures",
    "signatures",
]
