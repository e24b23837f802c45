"""``gpucurate dedup lines`` and ``gpucurate dedup paragraphs``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpucurate.cli import options as opt

if TYPE_CHECKING:
    from gpucurate.ops.segments import Grain


_OUT = "Output"


class KeepSegment(StrEnum):
    """Which occurrence of a segment stays."""

    first = "first"
    none = "none"


class Scope(StrEnum):
    """Where occurrences are looked for."""

    corpus = "corpus"
    document = "document"


@dataclass(frozen=True, kw_only=True)
class CutOptions:
    """What is compared, and what is cut."""

    scope: Annotated[
        Scope, typer.Option(help="Compare with the whole corpus, or within each document only.")
    ] = Scope.corpus
    keep: Annotated[
        KeepSegment, typer.Option(help="Which occurrence stays; none cuts out boilerplate altogether.")
    ] = KeepSegment.first
    min_length: Annotated[
        int, typer.Option(min=1, help="Shorter ones are never cut, in characters without white space around.")
    ] = 20
    min_count: Annotated[int, typer.Option(min=2, help="Cut only what occurs so often.")] = 2
    normalize: Annotated[
        bool, typer.Option(help="Compare trimmed, lower-cased text with white space collapsed.")
    ] = True

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {
            "scope": self.scope.value,
            "keep": self.keep.value,
            "min_length": self.min_length,
            "min_count": self.min_count,
            "normalize_text": self.normalize,
        }


@dataclass(frozen=True, kw_only=True)
class CutWriteOptions(opt.KindOptions):
    """What is written."""

    drop_empty: Annotated[
        bool,
        typer.Option(
            "--drop-empty/--keep-empty",
            help="Drop documents of which nothing remains but white space.",
            rich_help_panel=_OUT,
        ),
    ] = True
    annotate: Annotated[
        bool,
        typer.Option(
            "--annotate",
            help="Cut nothing; write every document, with the parts that would go.",
            rich_help_panel=_OUT,
        ),
    ] = False
    list_cuts: Annotated[
        bool,
        typer.Option(
            "--list-cuts",
            help="Write a table of all cuts and of what they repeat.",
            rich_help_panel=_OUT,
        ),
    ] = False

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {
            **super().settings(),
            "drop_empty": self.drop_empty,
            "annotate": self.annotate,
            "list_cuts": self.list_cuts,
        }


def lines(
    inputs: opt.Inputs,
    output: opt.Output,
    *,
    cuts: CutOptions,
    read: opt.ReadOptions,
    write: CutWriteOptions,
    fitting: opt.FittingOptions,
    log_text: opt.LogText = False,
    run: opt.RunOptions,
) -> None:
    """Cut repeated lines out of documents."""
    _carry_out(
        "line",
        inputs,
        output,
        {
            **cuts.settings(),
            **read.settings(),
            **write.settings(),
            **fitting.settings(),
            "log_text": log_text,
        },
        run,
    )


def paragraphs(
    inputs: opt.Inputs,
    output: opt.Output,
    *,
    cuts: CutOptions,
    read: opt.ReadOptions,
    write: CutWriteOptions,
    fitting: opt.FittingOptions,
    log_text: opt.LogText = False,
    run: opt.RunOptions,
) -> None:
    """Cut repeated paragraphs out of documents."""
    _carry_out(
        "paragraph",
        inputs,
        output,
        {
            **cuts.settings(),
            **read.settings(),
            **write.settings(),
            **fitting.settings(),
            "log_text": log_text,
        },
        run,
    )


def _carry_out(
    grain: Grain, inputs: opt.Inputs, output: opt.Output, settings: dict[str, Any], run: opt.RunOptions
) -> None:
    from gpucurate.cli.running import carry_out
    from gpucurate.workflows.segment_options import segment_settings
    from gpucurate.workflows.segments import SegmentDeduplicationWorkflow

    settings = {**settings, "checkpoint_path": run.checkpoint_path}
    carry_out(SegmentDeduplicationWorkflow(grain, inputs, output, segment_settings(settings)), run)
