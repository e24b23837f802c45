"""``gpucurate verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from gpucurate.checkpoint.verified import Verified

SHOWN = 20
"""Findings and names that are printed; JSON has all."""


def verify(
    output: Annotated[str, typer.Argument(metavar="OUTPUT", help="Output of a run.", show_default=False)],
    skip_input: Annotated[
        bool, typer.Option("--skip-input", help="Do not read the input again to compare its fingerprints.")
    ] = False,
    checkpoint_path: Annotated[
        Path | None,
        typer.Option(help="Folder of the run's state, if it is not in the output.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Compare a run's output, books and input with what it recorded: every file, byte for byte.

    Ends with 0 if all is well, 70 if books do not balance, 6 if output is missing or damaged, 5 if the input
    is another one.
    """
    import orjson
    from rich.console import Console

    from gpucurate.checkpoint.run_view import view_run
    from gpucurate.checkpoint.verify import verify as verify_run

    found = verify_run(view_run(output, checkpoint_path), with_input=not skip_input)
    if as_json:
        typer.echo(orjson.dumps(found.to_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(Console(highlight=False, soft_wrap=True), found)
    raise typer.Exit(found.exit_code)


def _print(console: Console, found: Verified) -> None:
    from gpucurate.spec.bytesize import format_bytes

    state = "finished" if found.is_finished else "not finished: what it has done so far is compared"
    console.print(f"run        {_shown(found.kind)} in {_shown(found.output)}, {state}")
    for name, (done, units) in found.phases.items():
        console.print(f"phase      {_shown(name)}: {done:,} of {units:,} units recorded")
    console.print(
        f"output     {found.files:,} files, {format_bytes(found.bytes)}, {found.rows:,} rows compared"
    )
    if found.rejects is not None:
        console.print(f"rejects    {found.rejects:,} on disk")
    if found.inputs is not None:
        console.print(f"input      {found.inputs:,} files, {format_bytes(found.input_bytes)} read again")
    for note in found.notes[:SHOWN]:
        console.print(f"[yellow]note[/]       {_shown(note)}")
    for name in found.extra[:SHOWN]:
        console.print(f"[yellow]extra[/]      {_shown(name)}: no record tells of it")
    for finding in found.findings[:SHOWN]:
        console.print(f"[red]{finding.kind:<10}[/] {_shown(finding.name)}: {_shown(finding.what)}")
    more = sum(max(0, len(each) - SHOWN) for each in (found.notes, found.extra, found.findings))
    if more:
        console.print(f"           {more:,} more lines: --json has all")
    count = len(found.findings)
    console.print(
        "verified   all is as it was recorded"
        if not count
        else f"verified   {count:,} finding{'s' if count > 1 else ''}"
    )


def _shown(text: str) -> str:
    """A name as text, whatever somebody has called a file."""
    from rich.markup import escape

    from gpucurate.spec.redaction import shown

    return escape(shown(text))
