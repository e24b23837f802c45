"""``gpucurate status``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gpucurate.checkpoint.status import Owner, PhaseStatus, Status


def status(
    output: Annotated[str, typer.Argument(metavar="OUTPUT", help="Output of a run.", show_default=False)],
    watch: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Say it again so often, until the run is over.",
            show_default=False,
        ),
    ] = None,
    checkpoint_path: Annotated[
        Path | None,
        typer.Option(help="Folder of the run's state, if it is not in the output.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a line each time.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Say how far a run is, also one that is going on; nothing is locked, and nothing is written."""
    import orjson

    from gpucurate.checkpoint.run_view import view_run
    from gpucurate.checkpoint.status import status as status_of
    from gpucurate.spec.redaction import shown

    while True:
        found = status_of(view_run(output, checkpoint_path))
        told = [orjson.dumps(found.to_dict()).decode()] if as_json else _lines(found)
        typer.echo(shown("\n".join(told)))
        if watch is None or found.state in ("finished", "interrupted"):
            return
        time.sleep(watch)


def _lines(found: Status) -> Iterator[str]:
    owner = f" ({_who(found.owner)})" if found.owner and found.state != "finished" else ""
    yield f"run        {found.kind} in {found.output}: {found.state}{owner}"
    for phase in found.phases:
        yield f"{'now' if phase is found.phase and not phase.is_over else 'over':<10} {_phase(phase)}"
    if found.state == "running" and found.phase and found.phase.is_over:
        yield f"now        what follows {found.phase.name}, in the process itself"
    if found.state == "interrupted":
        yield "next       the same command goes on from here"


def _who(owner: Owner) -> str:
    since = (
        ""
        if owner.since is None
        else f" since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(owner.since))}"
    )
    return f"process {owner.pid} on {owner.host}{since}"


def _phase(phase: PhaseStatus) -> str:
    from gpucurate.checkpoint.status import age
    from gpucurate.spec.bytesize import format_bytes

    told = [f"{phase.name}: {phase.done:,} of {phase.units:,} units", f"{phase.read:,} documents"]
    if phase.rejected:
        told.append(f"{phase.rejected:,} rejected")
    if phase.quarantined:
        told.append(f"{phase.quarantined:,} units set aside")
    if phase.bytes_per_second:
        told.append(f"{format_bytes(phase.bytes_per_second)}/s")
    if phase.eta_seconds is not None:
        told.append(f"{phase.eta_seconds:,.0f} s to go")
    if phase.last_commit is not None and not phase.is_over:
        told.append(f"last commit {age(phase.last_commit):,.0f} s ago")
    return ", ".join(told)
