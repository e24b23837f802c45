"""Fuzzy deduplication."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, Literal

from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.dedup.sketch import MinHashSketch
from gpucurate.dedup.survivors import Clusters
from gpucurate.dedup.verification import Linkage, Verification, Verify
from gpucurate.ops.minhash import PRESETS, MinHashParams
from gpucurate.pipeline.run import Run
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Plan
from gpucurate.stages.deduplication.keys import DocumentKeys
from gpucurate.stages.deduplication.signatures import DocumentSignatures
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.found import Found
from gpucurate.workflows.options import dedup_options
from gpucurate.workflows.thresholds import banded
from gpucurate.workflows.verifying import Verifying


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
        sketch: ``minhash``, or ``fss``: Fast Similarity Sketching, more exact on texts of fewer
            shingles than values; None for the preset's.
        compat: ``nemo``: the very values of NeMo Curator's fuzzy deduplication, and of its parameters those
            that are not given. Pairs that it finds are found, and no others.
        use_64_bit_hash: of NeMo Curator: its values of 64 bits; goes with ``compat``, or the
            preset ``nemo``.
        threshold: of similarity. Unless bands or rows or, with ``verify``, a preset are given, it
            chooses them (:func:`~gpucurate.dedup.banding.band_for`).
        permutations: values of a signature that a threshold may share out, 128 by default.
        verify: ``exact`` or ``estimate``: pairs below the threshold are discarded.
        linkage: ``component``, or ``survivor`` for clusters all of whose members reach the
            threshold with the survivor.
        options: the fields of :class:`~gpucurate.workflows.options.DedupOptions`.

    Raises:
        ConfigurationError: a preset or number that is not possible, or options that contradict
            each other.

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
        sketch: Literal["minhash", "fss"] | None = None,
        compat: Literal["nemo"] | None = None,
        use_64_bit_hash: bool = False,
        threshold: float | None = None,
        permutations: int | None = None,
        verify: Verify = "none",
        linkage: Linkage = "component",
        **options: Any,
    ) -> None:
        given = {
            "shingle": shingle,
            "ngram": char_ngrams,
            "bands": num_bands,
            "rows": minhashes_per_band,
            "seed": seed,
        }
        self.verification = Verification(verify, threshold, linkage)
        has_preset = preset != "default" or compat is not None
        self.banding, given = banded(given, has_preset, permutations, self.verification)
        self.minhash = fuzzy_sketch(
            preset, normalize_text, given, sketch=sketch, compat=compat, use_64_bit_hash=use_64_bit_hash
        )
        super().__init__("dedup fuzzy", input_path, output_path, self.minhash, dedup_options(options))

    @property
    def _comparing(self) -> Verification:
        return self.verification

    @property
    def _artefacts(self) -> tuple[str, ...]:
        return (*super()._artefacts, "edges") if self.verification.verifies else super()._artefacts

    def _decides(self, plan: Plan) -> dict[str, Any]:
        return {**super()._decides(plan), **self.verification.decides()}

    def _key_stages(self) -> list[Any]:
        by_signatures = self.verification.verify == "estimate"
        return self.passes.keys(self.minhash, DocumentSignatures if by_signatures else DocumentKeys)

    def _detect(self, run: Run, folder: RunFolder, found: Found) -> Clusters:
        if self.banding is not None:
            run.report.details["banding"] = self.banding.to_dict()
        if not self.verification.verifies:
            return super()._detect(run, folder, found)
        began = time.monotonic()
        labels = self._components(run, folder, found)
        if self.options.device == "cpu":  # else it was a phase of its own
            run.timed("group", time.monotonic() - began)
        layout = self._key_stages()[-1].layout
        verifying = Verifying(
            run, folder, found, self.passes, self.minhash, layout, self.verification, self.against
        )
        clusters = verifying.clusters(labels, lambda labels: self._choose(labels, found))
        return self._of_new(clusters, folder)


def fuzzy_sketch(
    preset: str,
    normalize: bool | None,
    given: dict[str, Any],
    *,
    sketch: str | None = None,
    compat: str | None = None,
    use_64_bit_hash: bool = False,
) -> MinHashSketch:
    """The sketch of a preset with some settings replaced.

    Args:
        preset: name.
        normalize: instead of the preset's; None for that.
        given: fields of ``MinHashParams``; None for the preset's.
        sketch: as of :class:`FuzzyDeduplicationWorkflow`.
        compat: as there; the preset is ``nemo`` then.
        use_64_bit_hash: as there.

    Raises:
        ConfigurationError: no such preset, a setting that is not possible, or settings that
            contradict each other.
    """
    _check_names(preset, sketch, compat)
    given = {key: value for key, value in given.items() if value is not None}
    if compat is not None:
        _check_compat(preset, normalize, given, sketch)
        preset = "nemo"
    base = PRESETS[preset]
    if sketch == "fss":
        given["rule"] = "fss"
    if use_64_bit_hash:
        _check_64_bits(base.params, sketch)
        given["rule"] = "nvtext64"
    params = replace(base.params, **given)
    return MinHashSketch(params, base.normalize if normalize is None else normalize)


def _check_names(preset: str, sketch: str | None, compat: str | None) -> None:
    if preset not in PRESETS:
        raise ConfigurationError(f"preset {preset!r} is not known: choose {', '.join(PRESETS)}")
    if sketch not in (None, "minhash", "fss"):
        raise ConfigurationError(f"sketch {sketch!r} is not known: choose minhash or fss")
    if compat not in (None, "nemo"):
        raise ConfigurationError(f"compat {compat!r} is not known: nemo is")


def _check_compat(preset: str, normalize: bool | None, given: dict[str, Any], sketch: str | None) -> None:
    """Refuse what cannot give NeMo Curator's values; its own parameters may have any value."""
    contradicting = {
        f"preset={preset!r}": preset not in ("default", "nemo"),
        "sketch='fss'": sketch == "fss",
        "normalization": bool(normalize),
        f"shingle={given.get('shingle')!r}": given.get("shingle", "char") != "char",
    }
    found = [option for option, contradicts in contradicting.items() if contradicts]
    if found:
        raise ConfigurationError(
            f"compat='nemo' asks for the values of NeMo Curator, which {' and '.join(found)} would change: "
            "leave one or the other out"
        )


def _check_64_bits(base: MinHashParams, sketch: str | None) -> None:
    if not base.is_nvtext or sketch == "fss":
        raise ConfigurationError(
            "use_64_bit_hash is about the values of NeMo Curator: "
            "give compat='nemo' with it, and no sketch='fss'"
        )
