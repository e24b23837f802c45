"""Fuzzy deduplication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, Literal

from gpucurate.dedup.sketch import MinHashSketch
from gpucurate.ops.minhash import PRESETS
from gpucurate.spec.errors import ConfigurationError
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.options import dedup_options


class FuzzyDeduplicationWorkflow(DeduplicationWorkflow):
    """Keeps one of the documents that share many shingles: MinHash with banding.

    Two documents of Jaccard similarity J are joined with probability
    ``1 - (1 - J**rows)**bands`` (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4).

    Args:
        input_path: files, folders, globs or URLs.
        output_path: folder of the output.
        preset: where settings that are not given come from: ``default`` (5 characters,
            16 bands of 8, normalised), ``nemo``, ``fineweb`` or ``dolma``.
        shingle: ``char`` or ``word``.
        char_ngrams: characters or words a shingle.
        num_bands: bands.
        minhashes_per_band: rows of a band.
        seed: of the permutations.
        normalize_text: lower case and collapse white space first.
        options: the fields of :class:`~gpucurate.workflows.options.DedupOptions`.

    Raises:
        ConfigurationError: a preset or number that is not possible.

    >>> FuzzyDeduplicationWorkflow("pages/", "unique/", preset="fineweb").run().report.details["clusters"]
    """

    def __init__(
        self,
        input_path: str | PathLike[str] | Sequence[str | PathLike[str]],
        output_path: str | PathLike[str],
        *,
        preset: str = "default",
        shingle: Literal["char", "word"] | None = None,
        char_ngrams: int | None = None,
        num_bands: int | None = None,
        minhashes_per_band: int | None = None,
        seed: int | None = None,
        normalize_text: bool | None = None,
        **options: Any,
    ) -> None:
        given = {
            "shingle": shingle,
            "ngram": char_ngrams,
            "bands": num_bands,
            "rows": minhashes_per_band,
            "seed": seed,
        }
        sketch = fuzzy_sketch(preset, normalize_text, given)
        super().__init__("dedup fuzzy", input_path, output_path, sketch, dedup_options(options))


def fuzzy_sketch(preset: str, normalize: bool | None, given: dict[str, Any]) -> MinHashSketch:
    """The sketch of a preset with some settings replaced.

    Args:
        preset: name.
        normalize: instead of the preset's; None for that.
        given: fields of ``MinHashParams``; None for the preset's.

    Raises:
        ConfigurationError: no such preset, or a setting that is not possible.
    """
    if preset not in PRESETS:
        raise ConfigurationError(f"preset {preset!r} is not known: choose {', '.join(PRESETS)}")
    base = PRESETS[preset]
    params = replace(base.params, **{key: value for key, value in given.items() if value is not None})
    return MinHashSketch(params, base.normalize if normalize is None else normalize)
