"""``gpucurate dedup apply``."""

from __future__ import annotations

from typing import Annotated

import typer

from gpucurate.cli import options as opt


def apply(
    run_folder: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Output of a finished deduplication, a folder or URL, or its run folder.",
            show_default=False,
        ),
    ],
    output: opt.Output,
    *,
    policy: opt.PolicyOptions,
    write: opt.WriteOptions,
    log_text: opt.LogText = False,
    run: opt.RunOptions,
) -> None:
    """Decide anew what is kept of the clusters that a run found; nothing is compared again."""
    from gpucurate.cli.running import carry_out
    from gpucurate.workflows.apply import ApplyWorkflow

    settings = {
        **policy.settings(),
        **write.settings(),
        "checkpoint_path": run.checkpoint_path,
        "log_text": log_text,
    }
    carry_out(ApplyWorkflow(run_folder, output, **settings), run)
