"""``gpucurate dedup exact``."""

from __future__ import annotations

from typing import Annotated

import typer

from gpucurate.cli import options as opt


def exact(
    inputs: opt.Inputs,
    output: opt.Output,
    *,
    normalize: Annotated[
        bool, typer.Option(help="Compare lower-cased text with white space collapsed.")
    ] = False,
    policy: opt.PolicyOptions,
    read: opt.ReadOptions,
    write: opt.WriteOptions,
    run: opt.RunOptions,
) -> None:
    """Keep one of the documents whose text is equal."""
    from gpucurate.cli.running import carry_out, start_early

    start_early(inputs, run)  # before what takes long to import
    from gpucurate.workflows.exact import ExactDeduplicationWorkflow

    settings = {**policy.settings(), **read.settings(), **write.settings()}
    carry_out(ExactDeduplicationWorkflow(inputs, output, normalize_text=normalize, **settings), run)
