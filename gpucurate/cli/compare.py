"""``gpucurate compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from gpucurate.dedup.agreement import Side
    from gpucurate.workflows.compare import Comparison, Example

_RUN_HELP = "Output of a finished deduplication, a folder or URL, or a folder of ids that NeMo Curator wrote."


def compare(
    first: Annotated[str, typer.Argument(metavar="RUN1", help=f"{_RUN_HELP} Taken for the truth.")],
    second: Annotated[str, typer.Argument(metavar="RUN2", help=_RUN_HELP)],
    id_generator: Annotated[
        Path | None,
        typer.Option(
            help="The id generator of NeMo Curator's ids; looked for beside them if not given.",
            show_default=False,
        ),
    ] = None,
    examples: Annotated[int, typer.Option(min=0, help="Show so many disagreements each way.")] = 3,
    log_text: Annotated[
        bool, typer.Option("--log-text", help="Show the beginning of their texts, 80 characters at most.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Say how far the clusters of two runs over the same input agree."""
    import orjson
    from rich.console import Console

    from gpucurate.workflows.compare import compare_runs

    found = compare_runs(first, second, id_generator=id_generator, examples=examples)
    if as_json:
        typer.echo(orjson.dumps(found.to_dict(log_text), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(Console(highlight=False, soft_wrap=True), found, log_text)


def _print(console: Console, found: Comparison, log_text: bool) -> None:
    from rich.markup import escape

    from gpucurate.spec.names import encode_name

    console.print(f"first      {escape(encode_name(found.first))}, taken for the truth")
    console.print(f"second     {escape(encode_name(found.second))}")
    if found.agreement is not None:
        agreement = found.agreement
        console.print(f"clusters   {_side(agreement.first, 'second')}")
        console.print(f"           {_side(agreement.second, 'first')}")
        console.print(
            f"documents  {agreement.in_both:,} are in a cluster in both, of {agreement.documents:,}"
        )
        console.print(
            f"pairs      {agreement.first.pairs:,} in the first, {agreement.second.pairs:,} in the second, "
            f"{agreement.pairs:,} in both"
        )
        console.print(
            f"agreement  precision {agreement.precision:.4f}, recall {agreement.recall:.4f}, "
            f"F1 {agreement.f1:.4f}, adjusted Rand index {agreement.adjusted_rand_index:.4f}"
        )
    if found.removals is not None:
        removals = found.removals
        console.print(
            f"removed    {removals.in_both:,} documents by both, {removals.first_only:,} by the first only, "
            f"{removals.second_only:,} by the second only"
        )
    if found.not_compared:
        console.print(
            f"[yellow]note[/]       {found.not_compared:,} documents of clusters are not compared: "
            "only one run read their file, or their row is not known"
        )
    for example in found.examples:
        _print_example(console, example, log_text)


def _side(side: Side, other: str) -> str:
    this = "first" if other == "second" else "second"
    return (
        f"{side.clusters:,} of {side.documents:,} documents in the {this}: {side.equal:,} equal, "
        f"{side.split:,} split and {side.merged:,} part of a larger one in the {other}"
    )


def _print_example(console: Console, example: Example, log_text: bool) -> None:
    from rich.markup import escape

    console.print(f"together in the {example.together_in} only")
    for path, row, text in example.documents:
        shown = f"  {escape(text)}" if log_text else ""
        console.print(f"  [dim]{escape(f'{path}:{row}')}[/]{shown}")
