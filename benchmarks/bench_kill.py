"""The same kill test for gpucurate, datatrove and Ray Data, in one run.

    python -m benchmarks.bench_kill [--folder .bench] [--envs .bench/envs] [--kills 20] [--quick]

A program reads 24 shards of JSON lines, keeps all, and writes them. It is killed (SIGKILL to all its
processes) at a time drawn uniformly from a run's length, and then started again in its own way of going
on, until it ends with 0. What a reader of the output folder finds then is counted by the ids of the
documents. Kills of the programs alternate. Prints a Markdown table for RESULTS.md.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.corpus import build
from benchmarks.kills.folder import look
from benchmarks.kills.victim import Trial, Victim, clean_seconds, trial
from benchmarks.peers.environments import Environment, environment
from benchmarks.peers.processes import load, machine
from benchmarks.peers.tables import figure, table
from gpucurate.spec.bytesize import parse_bytes

SHARDS = 24
HEAD = (
    *("", "kills while it ran", "documents lost", "doubled", "torn lines", "leftover files"),
    *("runs with a fault", "torn files at the kill", "written again", "reruns that failed"),
    *("run, s", "rerun, s", "goes on by"),
)


def victims(envs: Path) -> list[Victim]:
    """The programs; those that cannot be installed say why."""
    datatrove, ray = (environment(name, envs) for name in ("datatrove", "ray"))
    data = "benchmarks.kills.keep_ray_data"
    return [
        Victim("gpucurate", Path(sys.executable), "benchmarks.kills.keep_gpucurate", (), "the same command"),
        _peer("JsonlWriter", datatrove, "benchmarks.kills.keep_datatrove", (), "the same command and logs"),
        _peer("write_json", ray, data, ("append",), "the same command: all again, into the folder"),
        _peer("write_json, overwrite", ray, data, ("overwrite",), "the same command: all again"),
        _peer("write_json, CheckpointConfig", ray, data, ("checkpoint",), "the same command, by ids"),
    ]


def _peer(title: str, env: Environment, module: str, arguments: tuple[str, ...], how: str) -> Victim:
    return Victim(f"{env.title}, {title}", env.python, module, arguments, how if env.python else env.reason)


def corpus(folder: Path, size: str) -> Path:
    """24 shards of documents with ids that are unique."""
    path = folder / f"kill-corpus-{size}"
    if not (path / ".done").exists():
        shutil.rmtree(path, ignore_errors=True)
        build(path, parse_bytes(size), shard_size=parse_bytes(size) // SHARDS)
        (path / ".done").touch()
    return path


def row(victim: Victim, trials: Sequence[Trial], seconds: float, wanted: set[str]) -> list[str]:
    """The sums over all kills of a program."""
    hit = [each for each in trials if each.was_running]
    lost = [len(wanted - each.ended.ids.keys()) for each in trials]
    doubled = [sum(n - 1 for n in each.ended.ids.values() if n > 1) for each in trials]
    torn = [each.ended.torn_lines for each in trials]
    left = [len(each.ended.leftovers) for each in trials]
    faults = sum(any(found) for found in zip(lost, doubled, torn, left, strict=True))
    again = [each.again for each in hit if each.again is not None]
    return [
        victim.title,
        f"{len(hit)} of {len(trials)}",
        *(f"{sum(found):,}" for found in (lost, doubled, torn, left)),
        f"{faults} of {len(trials)}",
        f"{sum(each.killed.torn_files for each in trials):,}",
        f"{sum(again) / len(again):.0%}" if again else "nothing was whole",
        f"{sum(sum(map(bool, each.codes)) for each in trials):,}",
        figure(seconds),
        figure(median(each.seconds for each in trials)),
        victim.remark,
    ]


def compare(options: argparse.Namespace) -> list[list[str]]:
    """Kill all programs in turn; a row for each."""
    source = corpus(options.folder, options.size)
    wanted = set(look(source).ids)
    rng, folder = random.Random(options.seed), options.folder / "kill"
    lengths: dict[Victim, float] = {}
    rows = []
    chosen = tuple(options.only or [""])
    for victim in victims(options.envs or options.folder / "envs"):
        if not victim.title.startswith(chosen):
            continue
        try:
            if victim.python is None:
                raise RuntimeError(victim.remark)
            lengths[victim] = clean_seconds(victim, source, folder, options.cores)
        except RuntimeError as error:
            rows.append([victim.title, *["not run"] * (len(HEAD) - 2), str(error)[:200]])
            continue
        say(f"{victim.title}: a run takes {lengths[victim]:.1f} s")
    trials: dict[Victim, list[Trial]] = {victim: [] for victim in lengths}
    for number in range(options.kills):
        for victim, seconds in lengths.items():
            after = rng.uniform(0, seconds)
            trials[victim].append(trial(victim, source, folder, cores=options.cores, after=after))
            say(f"kill {number + 1}: {victim.title} after {after:.2f} s")
    shutil.rmtree(folder, ignore_errors=True)
    done = [row(victim, trials[victim], lengths[victim], wanted) for victim in lengths]
    return [*done, *rows]


def say(message: str) -> None:
    """Tell what goes on, apart from the table."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--folder", type=Path, default=Path(".bench"), help="where corpora and outputs lie")
    option("--envs", type=Path, help="where the peers' environments lie; FOLDER/envs if not given")
    option("--only", nargs="+", help="programs whose titles begin so")
    option("--kills", type=int, default=20, help="of each program")
    option("--size", default="100MB", help="of the corpus")
    option("--cores", type=int, default=2)
    option("--seed", type=int, default=0, help="of the times of the kills")
    option("--quick", action="store_true", help="two kills on 5 MB, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.kills, options.size = 2, "5MB"
    options.folder = options.folder.absolute()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}; load average before {load()}\n")
    rows = compare(options)
    print(f"## {SHARDS} shards, {options.size}, killed {options.kills} times each\n")
    print(table(HEAD, rows))
    print(f"\nLoad average after {load()}")


if __name__ == "__main__":
    main()
