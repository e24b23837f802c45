"""``gpucurate doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gpucurate.cli.options import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from gpucurate.doctor import Finding

_MARKS = {"ok": "[green]ok[/]   ", "absent": "[dim]-[/]    ", "wrong": "[red]wrong[/]"}


def doctor(
    device: Annotated[
        DeviceKind, typer.Option(help="cuda: a working GPU is asked for; without one the exit code is 3.")
    ] = DeviceKind.cpu,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Say what there is for gpucurate here, what is missing, and what installs it."""
    import orjson
    from rich.console import Console

    from gpucurate.doctor import examine, has_gpu

    findings = examine()
    if as_json:
        rows = [finding.to_dict() for finding in findings]
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(Console(highlight=False, soft_wrap=True), findings)
    wrong = any(finding.state == "wrong" for finding in findings)
    if wrong or (device is DeviceKind.cuda and not has_gpu(findings)):
        raise typer.Exit(3)


def _print(console: Console, findings: Sequence[Finding]) -> None:
    from rich.markup import escape

    topic, width = "", max(len(finding.name) for finding in findings)
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            console.print(f"[bold]{escape(topic)}[/]")
        console.print(
            f"  {_MARKS[finding.state]}  {escape(finding.name.ljust(width))}  {escape(finding.detail)}"
        )
    for title, lines in _remedies(findings).items():
        console.print(f"[bold]{title}[/]")
        for name, remedy in lines:
            console.print(f"         {escape(name.ljust(width))}  {escape(remedy)}")


def _remedies(findings: Sequence[Finding]) -> dict[str, list[tuple[str, str]]]:
    """What has to be done, and what can be; extras that are absent share a line."""
    from gpucurate.doctor.packages import ANY_EXTRA, EXTRAS

    wrong = [(each.name, each.remedy) for each in findings if each.remedy and each.state == "wrong"]
    absent: dict[str, str] = {}
    for each in findings:
        if each.remedy and each.state == "absent":
            is_extra = each.topic == EXTRAS
            absent[EXTRAS if is_extra else each.name] = ANY_EXTRA if is_extra else each.remedy
    titled = {"to do": wrong, "if you want it": list(absent.items())}
    return {title: lines for title, lines in titled.items() if lines}
