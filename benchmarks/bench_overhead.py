"""What it costs that a run can be killed, and what a checkpoint between stages costs.

    python -m benchmarks.bench_overhead [--folder .bench] [--sizes 100MB 400MB] [--pairs 7] [--quick]

- Deduplication as it is beside the same command without what makes it durable (``overhead/bare.py``: no
  commit log on disk, every fsync of every process a no-op), in pairs that take turns in beginning. What the
  disk itself takes for the bytes is in both.
- The same command again on its finished output, which has nothing to do.
- A pipeline with a ``Checkpoint`` beside the same without, and beginning from it.

Prints Markdown tables for RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.bench_dedup import corpus
from benchmarks.measure import measure
from benchmarks.overhead.bare import library
from benchmarks.peers.processes import load, machine
from benchmarks.peers.tables import figure, table

GOAL = 0.03
"""Of the time of a deduplication, what durability may take."""

COMMANDS = ("exact", "fuzzy")


def seconds(command: Sequence[str], remove: Sequence[Path] = ()) -> float:
    """Wall seconds of a command, after some folders are gone and the disk has nothing to do."""
    for folder in remove:
        shutil.rmtree(folder, ignore_errors=True)
    os.sync()
    return measure(command).seconds


def in_turns(one: Sequence[str], other: Sequence[str], output: Path, pairs: int) -> list[tuple[float, float]]:
    """Seconds of two commands that write the same output, pair by pair."""
    found = []
    for number in range(pairs):
        if number % 2:
            second = seconds(other, [output])
            found.append((seconds(one, [output]), second))
        else:
            first = seconds(one, [output])
            found.append((first, seconds(other, [output])))
    return found


def more(pairs: Sequence[tuple[float, float]]) -> list[str]:
    """Medians, and the median and the range of the share by which the first is longer."""
    shares = sorted(one / other - 1 for one, other in pairs)
    return [
        figure(median(one for one, _ in pairs)),
        figure(median(other for _, other in pairs)),
        f"{median(shares):+.1%}",
        f"{shares[0]:+.1%} to {shares[-1]:+.1%}",
    ]


def durability(options: argparse.Namespace, size: str, kind: str) -> list[str]:
    """A row: a command with and without it, and again."""
    source, output = corpus(options.folder, size)[0].parent, options.folder / "overhead"
    arguments = ["dedup", kind, str(source), "-o", str(output), "--quiet"]
    whole = [sys.executable, "-m", "gpucurate", *arguments]
    preload = f"LD_PRELOAD={library(options.scratch)}"
    bare = ["env", preload, sys.executable, "-m", "benchmarks.overhead.bare", *arguments]
    seconds(whole, [output])  # what is compiled and cached by a first run
    pairs = in_turns(whole, bare, output, options.pairs)
    seconds(whole, [output])
    again = median(seconds(whole) for _ in range(3))
    share = median(one / other - 1 for one, other in pairs)
    verdict = "held" if share < GOAL else "missed"
    say(f"{kind}, {size}: {share:+.1%}")
    return [f"{kind}, {size}", *more(pairs), verdict, figure(again)]


def checkpoints(options: argparse.Namespace, size: str) -> list[str]:
    """A row: a pipeline with a checkpoint, without, and from it."""
    source, output = corpus(options.folder, size)[0].parent, options.folder / "overhead"
    saved = options.folder / "overhead-saved"
    plain = [sys.executable, "-m", "benchmarks.overhead.pipeline", str(source), str(output)]
    seconds(plain, [output])
    pairs, later = [], []
    for _ in range(options.pairs):
        without = seconds(plain, [output])
        pairs.append((seconds([*plain, str(saved)], [output, saved]), without))
        later.append(seconds([*plain, str(saved)], [output]))
    files = [path for path in (saved / "units").iterdir() if path.suffix == ".arrow"]
    given = sum(path.stat().st_size for path in source.glob("*.jsonl"))
    share = sum(path.stat().st_size for path in files) / given
    shutil.rmtree(saved)
    say(f"checkpoint, {size}: done")
    return [size, *more(pairs), figure(median(later)), f"{share:.0%}"]


def say(message: str) -> None:
    """Tell what goes on, apart from the tables."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--folder", type=Path, default=Path(".bench"), help="where corpora and outputs lie")
    option("--sizes", nargs="+", default=["100MB", "400MB"], help="of the corpora")
    option("--pairs", type=int, default=7, help="of runs; medians are printed")
    option("--quick", action="store_true", help="one pair on 5 MB, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.pairs = ["5MB"], 1
    options.folder = options.folder.absolute()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}; load average before {load()}")
    with tempfile.TemporaryDirectory() as scratch:
        options.scratch = Path(scratch)
        rows = [durability(options, size, kind) for size in options.sizes for kind in COMMANDS]
    print(f"\n## Durability of a deduplication, {options.pairs} pairs of runs\n")
    head = ["", "as it is, s", "without, s", "more", "of single pairs", f"goal {GOAL:.0%}", "again, s"]
    print(table(head, rows))
    print("\n## A checkpoint in the middle of a pipeline\n")
    head = ["", "with, s", "without, s", "more", "of single pairs", "from it, s", "its size, of the input"]
    print(table(head, [checkpoints(options, size) for size in options.sizes]))
    shutil.rmtree(options.folder / "overhead", ignore_errors=True)
    print(f"\nLoad average after {load()}")


if __name__ == "__main__":
    main()
