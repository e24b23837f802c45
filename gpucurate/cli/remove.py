"""``gpucurate dedup remove``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gpucurate.cli import options as opt

_IDS = "Ids"


def remove(
    inputs: opt.Inputs,
    output: opt.Output,
    *,
    ids: Annotated[
        Path,
        typer.Option(
            help="List of ids to remove: file or folder of Parquet or JSON lines.",
            show_default=False,
            rich_help_panel=_IDS,
        ),
    ],
    ids_field: Annotated[
        str | None,
        typer.Option(
            help="Column of the list; _curator_dedup_id, id or the only one if not given.",
            show_default=False,
            rich_help_panel=_IDS,
        ),
    ] = None,
    id_field: Annotated[
        str | None,
        typer.Option(help="Field of a document's id.", show_default=False, rich_help_panel=_IDS),
    ] = None,
    id_generator: Annotated[
        Path | None,
        typer.Option(
            help="NeMo Curator's id generator, where documents hold no ids.",
            show_default=False,
            rich_help_panel=_IDS,
        ),
    ] = None,
    require_unique_ids: opt.RequireUniqueIds = False,
    read: opt.FileOptions,
    write: opt.KindOptions,
    run: opt.RunOptions,
) -> None:
    """Remove the documents of a list of ids, such as NeMo Curator's."""
    from gpucurate.cli.running import carry_out
    from gpucurate.spec.errors import UsageError
    from gpucurate.stages.deduplication.id_generator import CURATOR_DEDUP_ID_STR
    from gpucurate.workflows.removal import TextDuplicatesRemovalWorkflow

    if id_field is not None and id_generator is not None:
        raise UsageError(
            "--id-field and --id-generator are two ways to know a document's id: give one of them"
        )
    kind = write.settings()
    workflow = TextDuplicatesRemovalWorkflow(
        inputs,
        ids,
        output,
        id_field=id_field or CURATOR_DEDUP_ID_STR,
        duplicate_id_field=ids_field,
        id_generator_path=id_generator,
        output_filetype=kind["format"],
        compression=kind["compression"],
        require_unique_ids=require_unique_ids,
        checkpoint_path=run.checkpoint_path,
        **read.settings(),
    )
    carry_out(workflow, run)
