"""``gpucurate dedup fuzzy``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from gpucurate.cli import options as opt
from gpucurate.cli.gpu_options import GpuOptions
from gpucurate.cli.index import IndexOptions
from gpucurate.cli.verify_options import VerifyOptions

_SKETCH = "Shingles and bands"


class SketchKind(StrEnum):
    """Rules by which values are taken of shingles."""

    minhash = "minhash"
    fss = "fss"


class Compat(StrEnum):
    """Others whose hash values can be had."""

    nemo = "nemo"


@dataclass(frozen=True, kw_only=True)
class SketchOptions:
    """What is taken of a text."""

    preset: Annotated[
        opt.Preset, typer.Option(help="Where settings not given below come from.", rich_help_panel=_SKETCH)
    ] = opt.Preset.default
    shingle: Annotated[
        opt.Shingle | None, typer.Option(help="Shingles of characters or of words.", rich_help_panel=_SKETCH)
    ] = None
    ngram: Annotated[
        int | None, typer.Option(min=1, help="Characters or words a shingle.", rich_help_panel=_SKETCH)
    ] = None
    bands: Annotated[int | None, typer.Option(min=1, help="Bands.", rich_help_panel=_SKETCH)] = None
    rows: Annotated[
        int | None, typer.Option(min=1, help="MinHash values a band.", rich_help_panel=_SKETCH)
    ] = None
    seed: Annotated[int | None, typer.Option(min=0, help="Of the permutations.", rich_help_panel=_SKETCH)] = (
        None
    )
    sketch: Annotated[
        SketchKind | None,
        typer.Option(
            help="MinHash, or Fast Similarity Sketching: less error on short texts.",
            rich_help_panel=_SKETCH,
        ),
    ] = None
    compat: Annotated[
        Compat | None,
        typer.Option(
            help="NeMo Curator's hash values, seed and raw text; --preset nemo implies it.",
            rich_help_panel=_SKETCH,
        ),
    ] = None
    use_64_bit_hash: Annotated[
        bool,
        typer.Option(
            "--use-64-bit-hash", help="With --compat nemo: hashes of 64 bits.", rich_help_panel=_SKETCH
        ),
    ] = False
    normalize: Annotated[
        bool | None,
        typer.Option(
            "--normalize/--no-normalize",
            help="Lower case and collapse white space first.",
            rich_help_panel=_SKETCH,
        ),
    ] = None

    def settings(self) -> dict[str, Any]:
        """Arguments of the workflow."""
        return {
            "preset": self.preset.value,
            "shingle": opt.value_of(self.shingle),
            "char_ngrams": self.ngram,
            "num_bands": self.bands,
            "minhashes_per_band": self.rows,
            "seed": self.seed,
            "sketch": opt.value_of(self.sketch),
            "compat": opt.value_of(self.compat),
            "use_64_bit_hash": self.use_64_bit_hash,
            "normalize_text": self.normalize,
        }


def fuzzy(
    inputs: opt.Inputs,
    output: opt.Output,
    *,
    sketch: SketchOptions,
    similarity: VerifyOptions,
    policy: opt.PolicyOptions,
    scope: opt.ScopeOptions,
    read: opt.ReadOptions,
    write: opt.WriteOptions,
    index: IndexOptions,
    gpu: GpuOptions,
    fitting: opt.FittingOptions,
    log_text: opt.LogText = False,
    run: opt.RunOptions,
) -> None:
    """Keep one of the documents that share many shingles (MinHash with banding)."""
    from gpucurate.cli.running import carry_out
    from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

    settings = {
        **sketch.settings(),
        **similarity.settings(),
        **policy.settings(),
        **scope.settings(),
        **read.settings(),
        **write.settings(),
        **index.settings(),
        **gpu.settings(),
        "checkpoint_path": run.checkpoint_path,
        "log_text": log_text,
        **fitting.settings(),
    }
    carry_out(FuzzyDeduplicationWorkflow(inputs, output, **settings), run, gpu)
