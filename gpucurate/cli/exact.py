"""``gpucurate dedup exact``."""

from __future__ import annotations

from typing import Annotated

import typer

from gpucurate.cli import options as opt
from gpucurate.cli.gpu_options import GpuOptions
from gpucurate.cli.index import IndexOptions


def exact(
    inputs: opt.Inputs,
    output: opt.Output,
    *,
    normalize: Annotated[
        bool, typer.Option(help="Compare lower-cased text with white space collapsed.")
    ] = False,
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
    """Keep one of the documents whose text is equal."""
    from gpucurate.cli.running import carry_out
    from gpucurate.workflows.exact import ExactDeduplicationWorkflow

    settings = {
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
    carry_out(ExactDeduplicationWorkflow(inputs, output, normalize_text=normalize, **settings), run, gpu)
