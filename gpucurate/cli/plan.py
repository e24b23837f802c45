"""``gpucurate plan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gpucurate.planning.costs import Costs


def plan(
    pipeline: Annotated[
        str,
        typer.Argument(
            metavar="PIPELINE",
            help="path/to/file.py:name or package.module:name: a Pipeline, or a function that makes one.",
        ),
    ],
    simulate: Annotated[
        str | None,
        typer.Option(
            metavar="NODESxGPUSxKIND",
            help="Plan for a cluster of this size, such as 64x8xH200 or 2x4x80GB, instead of this machine.",
            show_default=False,
        ),
    ] = None,
    cpus_per_node: Annotated[
        int | None,
        typer.Option(min=1, help="Cores of each of these machines; 14 for each GPU.", show_default=False),
    ] = None,
    costs: Annotated[
        Path | None,
        typer.Option(
            help="report.json of an earlier run of the same stages: what times are taken from.",
            show_default=False,
        ),
    ] = None,
    no_fuse: Annotated[
        bool, typer.Option("--no-fuse", help="Give each stage workers of its own, for comparison.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Say how a pipeline would run: segments, workers, bytes moved, memory, time.

    The file or module is imported, and a function called, as Python does it: only give code that you trust.
    No stage is run, and nothing is written.
    """
    import orjson

    from gpucurate.cli.pipeline_loader import load_pipeline
    from gpucurate.planning.cluster_size import parse_cluster
    from gpucurate.spec.errors import UsageError
    from gpucurate.spec.redaction import shown

    if cpus_per_node is not None and simulate is None:
        raise UsageError("--cpus-per-node says what --simulate assumes: give both, or none")
    nodes = None if simulate is None else parse_cluster(simulate, cpus_per_node)
    known = None if costs is None else _costs(costs)
    outlook = load_pipeline(pipeline).outlook(nodes=nodes, fuse=not no_fuse, costs=known)
    if as_json:
        typer.echo(orjson.dumps(outlook.to_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(shown(str(outlook)))


def _costs(path: Path) -> Costs:
    """From a report's file.

    Raises:
        InputError: it cannot be read.
        ConfigurationError: it is not a report.
    """
    import orjson

    from gpucurate.planning.costs import Costs
    from gpucurate.spec.errors import ConfigurationError, InputError

    try:
        report = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"--costs {path} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(
            f"--costs {path} is not JSON ({error}): give the report.json of a finished run"
        ) from error
    return Costs.from_report(report)
