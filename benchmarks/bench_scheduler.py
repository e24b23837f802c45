"""The scheduler beside Ray Data and cosmos-xenna: one run, the same three stages, the same cores.

    python benchmarks/bench_scheduler.py [--only stages units modes] [--runs 3] [--output FILE.json]

Makes the peers' environments that are absent and prints Markdown tables for RESULTS.md:

- stages: 1,000 tasks of 1 MB through three stages that hold state, whole and after the first result;
- units: what a unit costs that does nothing, and one that reads and commits a small file;
- modes: one real pipeline, streaming and batch: first committed file, peak memory, how busy cores are.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench_dedup import corpus
from benchmarks.peers.environments import environment
from benchmarks.peers.processes import load, machine
from benchmarks.peers.tables import figure, table
from benchmarks.scheduler.contest import Contestant, peer, race
from gpucurate.spec.bytesize import format_bytes, parse_bytes

PARTS = ("stages", "units", "modes")
THREE_STAGES = "benchmarks.scheduler.three_stages"
GOALS = {"ray, a worker a stage": 3.0, "ray, fused": 8.0, "local, fused": 5.0}
"""How many times Ray Data's rate is asked for."""


def stages(options: argparse.Namespace) -> list[Contestant]:
    """Three stages, peers and ours."""
    ray, xenna = (environment(name, options.envs) for name in ("ray", "cosmos-xenna"))
    size = (options.tasks, parse_bytes(options.nbytes))
    data, curated = "benchmarks.peers.schedule_ray_data", "benchmarks.peers.schedule_xenna"
    cores = ("--cores", options.cores)
    theirs = [
        peer("Arrow blocks", ray, data, (*size, *cores, "--as", "arrow", "--cpus", 0.66)),
        peer(
            "objects, as NeMo Curator",
            ray,
            data,
            (*size, *cores, "--as", "tasks", "--actors", 2, "--cpus", 0.33),
        ),
        peer("streaming", xenna, curated, (*size, *cores)),
        peer("batch", xenna, curated, (*size, *cores, "--mode", "batch")),
    ]
    ours = [
        Contestant("inline", THREE_STAGES, (*size, "--executor", "inline")),
        *(
            Contestant(
                f"{name}, {how}",
                THREE_STAGES,
                (*size, "--executor", name, "--workers", options.cores, *arguments),
            )
            for name in ("local", "ray")
            for how, arguments in (("a worker a stage", ("--no-fuse",)), ("fused", ()))
        ),
    ]
    race([*theirs, *ours], options.runs, say)
    print(f"\n## {options.tasks:,} tasks of {options.nbytes} through three stages, {options.cores} cores\n")
    print(table(_HEAD, [_row(contestant, theirs[:2]) for contestant in [*theirs, *ours]]))
    return [*theirs, *ours]


_HEAD = (
    *("", "tasks/s", "first result, s", "tasks/s after it"),
    *("times Ray Data, Arrow", "after it", "times Ray Data, objects", "after it", "asked for", "remark"),
)


def _row(contestant: Contestant, baselines: Sequence[Contestant]) -> list[str]:
    if not contestant.runs:
        return [contestant.title, *[""] * 8, contestant.remark]
    times = [cell for base in baselines for cell in _times(contestant, base)]
    goal = GOALS.get(contestant.title)
    return [
        contestant.title,
        figure(contestant.rate),
        figure(contestant.median("first")),
        figure(contestant.steady_rate),
        *times,
        f"{goal:g}" if goal else "",
        contestant.remark,
    ]


def _times(contestant: Contestant, base: Contestant) -> tuple[str, str]:
    """How many times as fast: whole, and after the first result."""
    if not base.runs:
        return "", ""
    return figure(contestant.rate / base.rate), figure(contestant.steady_rate / base.steady_rate)


def units(options: argparse.Namespace) -> list[Contestant]:
    """Units that do nothing, and units that are committed."""
    module = "benchmarks.scheduler.units"
    asked = {"noop": 5000, "commit": 1000}
    ran = []
    for kind, count in (("noop", options.noops), ("commit", options.commits)):
        for name in ("inline", "local", "ray"):
            arguments = (kind, count, options.folder, "--executor", name, "--workers", options.cores)
            ran.append(Contestant(f"{name}, {kind}", module, arguments))
    race(ran, options.runs, say)
    rows = [
        [
            contestant.title,
            figure(contestant.rate) if contestant.runs else contestant.remark,
            str(asked[contestant.title.split()[1]]) if contestant.title.startswith("local") else "",
        ]
        for contestant in ran
    ]
    print(f"\n## Units a second, {options.cores} workers\n\n" + table(("", "units/s", "asked for"), rows))
    return ran


def modes(options: argparse.Namespace) -> list[Contestant]:
    """Streaming and batch."""
    source, target = corpus(options.folder, options.size)[0].parent, options.folder / "modes"
    ran = [
        Contestant(
            f"{name}, {mode}",
            "benchmarks.scheduler.modes",
            (source, target, "--mode", mode, "--executor", name, "--workers", options.cores),
        )
        for name in ("local", "ray")
        for mode in ("streaming", "batch")
    ]
    race(ran, options.runs, say)
    head = ("", "seconds", "first committed file, s", "peak memory", "in flight, at most", "cores at work")
    print(f"\n## Streaming and batch, {options.size} of JSONL, four stages, {options.cores} workers\n")
    print(table(head, [_mode(contestant) for contestant in ran]))
    return ran


def _mode(contestant: Contestant) -> list[str]:
    if not contestant.runs:
        return [contestant.title, contestant.remark, *[""] * 4]
    median = contestant.median
    sizes = [format_bytes(int(median(name))) for name in ("peak", "in_flight")]
    return [
        contestant.title,
        figure(median("seconds")),
        figure(median("first")),
        *sizes,
        f"{median('busy'):.0%}",
    ]


def say(message: str) -> None:
    """Tell what goes on, apart from the tables."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--folder", type=Path, default=Path(".bench"), help="where corpora and outputs lie")
    option("--envs", type=Path, help="where the peers' environments lie; FOLDER/envs if not given")
    option("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    option("--runs", type=int, default=3, help="of each; medians are printed")
    option("--cores", type=int, default=2, help="of the clusters, and workers of ours")
    option("--tasks", type=int, default=1000)
    option("--nbytes", default="1MB", help="of a task")
    option("--noops", type=int, default=20_000, help="units that do nothing")
    option("--commits", type=int, default=3000, help="units that are committed")
    option("--size", default="200MB", help="corpus of the modes")
    option("--output", type=Path, help="all figures of all runs, as JSON")
    options = parser.parse_args()
    options.envs = options.envs or options.folder / "envs"
    return options


def main() -> None:
    """Measure and print."""
    options = parse_arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    head = {"machine": machine(), "load_before": load()}
    print(f"{head['machine']}; load average before {head['load_before']}")
    measured = {
        part: [contestant.to_dict() for contestant in run(options)]
        for part, run in (("stages", stages), ("units", units), ("modes", modes))
        if part in options.only
    }
    print(f"\nLoad average after {load()}")
    if options.output:
        options.output.write_text(json.dumps({**head, **measured, "load_after": load()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
