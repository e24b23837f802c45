"""What is printed of a run on GPUs: bytes moved, and what was done on the host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from gpucurate.planning.crossings import crossings
from gpucurate.planning.memory import decoded_bytes
from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.plan import Plan
from gpucurate.spec.unit import Unit
from gpucurate.telemetry.report import RunReport


def print_crossings(console: Console, plan: Plan, units: Sequence[Unit]) -> None:
    """What is going to cross between host and GPUs."""
    for crossing in crossings(plan, decoded_bytes(units)):
        side = "to GPU    " if crossing.to == "cuda" else "from GPU  "
        bound = f"at most {format_bytes(crossing.nbytes)}"
        console.print(f"{side} {bound}: {escape(crossing.stage)} {crossing.why}")


def print_transfers(console: Console, report: RunReport) -> None:
    """Bytes that went to GPUs and came back, by stage, and departures by cause; nothing of a CPU run."""
    stages = [stats for phase in report.phases for stats in phase.stages]
    up = sum(stats.host_to_device_bytes for stats in stages)
    down = sum(stats.device_to_host_bytes for stats in stages)
    if not up and not down:
        return
    by_stage = [
        f"{stats.stage_name} {format_bytes(stats.host_to_device_bytes)} up, "
        f"{format_bytes(stats.device_to_host_bytes)} down"
        for stats in stages
        if stats.host_to_device_bytes or stats.device_to_host_bytes
    ]
    console.print(
        f"GPU        {format_bytes(up)} up, {format_bytes(down)} down ({escape('; '.join(by_stage))})"
    )
    causes: Counter[str] = Counter()
    for stats in stages:
        causes.update(stats.departures)
    for cause, count in causes.most_common():
        console.print(f"[yellow]left GPU[/]   {escape(cause)}: {count:,}")
