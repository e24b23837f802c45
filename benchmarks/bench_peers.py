"""gpucurate beside its peers: one run, the same text, every peer in an environment of its own.

    python benchmarks/bench_peers.py [--folder .bench] [--envs .bench/envs] [--only sketches fuzzy exact]

Makes the environments that are absent (some minutes the first time, 3 GB) and prints Markdown tables for
RESULTS.md:

- sketches: text to band keys or signatures, K=128, one core, from Python strings, MB/s of processor time;
- fuzzy: JSONL to JSONL by whole programs, the same shingles, bands and cores;
- exact: the same for exact duplicates.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.peers.compare_commands import Commands, remarks
from benchmarks.peers.compare_sketches import MODULES, Sketches, cases
from benchmarks.peers.contests import EXACT_CONTESTS, FUZZY, Contest
from benchmarks.peers.environments import PEERS, Environment, environment
from benchmarks.peers.processes import ROOT, cores, load, machine
from benchmarks.peers.texts import corpus, sketch_texts
from gpucurate.ops.warm_up import warm_up

PARTS = ("sketches", "fuzzy", "exact")


def sketches(options: argparse.Namespace, environments: dict[str, Environment]) -> None:
    """Print what sketching costs on one core."""
    texts = sketch_texts(options.folder, options.truth_data, options.slice)
    compared = Sketches(texts, cores(1)[0], options.seconds)
    measured = cases(list(texts))
    for case in measured:
        say(f"sketches: {case.shingle}-5, {case.title}")
        compared.run(case, [environments[name] for name in MODULES])
    print(f"\n## Text to band keys, one core, {options.slice} a text\n")
    for shingle in ("char", "word"):
        print(f"MB/s; how many times ours is as fast, both from Python strings. {shingle}-5, K=128.\n")
        print(compared.table([case for case in measured if case.shingle == shingle]) + "\n")
    print("\n".join(line for case in measured for line in compared.fastest(case)) + "\n")
    print(compared.remarks())
    print("".join(f"\n- failed: {failure}" for failure in compared.failed))


def commands(
    title: str,
    contests: tuple[Contest, ...],
    options: argparse.Namespace,
    environments: dict[str, Environment],
) -> None:
    """Print what whole programs cost."""
    say(f"{title}: corpora and runs")
    sizes = {"small": options.small, "medium": options.medium, "large": options.large}
    corpora = {name: corpus(options.folder, size) for name, size in sizes.items()}
    used = cores(options.cores)
    compared = Commands(corpora, options.folder, used, options.runs)
    compared.warm_up(contests)
    print(f"\n## {title}, JSONL to JSONL, {len(used)} cores\n")
    print(compared.table(contests, environments) + "\n")
    print(remarks(contests, environments))


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
    option(
        "--truth-data", type=Path, default=ROOT.parent / "shared" / "data", help="the ground-truth data sets"
    )
    option("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    option("--slice", default="5MB", help="of each text that is sketched; RESULTS.md has 20MB")
    option("--seconds", type=float, default=2.0, help="of a way to sketch; one pass at least")
    option("--small", default="20MB", help="corpus of the slowest programs")
    option("--medium", default="100MB", help="corpus of the others")
    option("--large", default="1GB", help="corpus of the fastest programs")
    option("--cores", type=int, default=2, help="of whole programs")
    option("--runs", type=int, default=1, help="of whole programs; medians are printed")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = parse_arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    environments = {}
    for name in PEERS:
        say(f"environment of {name}")
        environments[name] = environment(name, options.envs or options.folder / "envs")
    warm_up()
    print(f"{machine()}; load average before {load()}")
    if "sketches" in options.only:
        sketches(options, environments)
    if "fuzzy" in options.only:
        commands("Deduplication by MinHash", FUZZY, options, environments)
    if "exact" in options.only:
        commands("Exact deduplication", EXACT_CONTESTS, options, environments)
    print(f"\nLoad average after {load()}")


if __name__ == "__main__":
    main()
