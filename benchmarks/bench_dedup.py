"""The whole command, from disk to disk: rate, memory, growth.

    python -m benchmarks.bench_dedup [--folder FOLDER] [--runs 3] [--sizes 100MB 1GB 5GB] [--formats ...]

Prints Markdown tables for RESULTS.md: seconds and peak memory by size of the corpus (medians),
what ten times the corpus costs in memory, marginal seconds a gigabyte, the output beside what the
disk takes with fsync, and the rate beside a pipeline written with datasketch (same shingles, bands
and cores) on a slice in the same run. Sizes and rates of all formats are those of the plain JSONL.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.disk import disk_rate
from benchmarks.formats import FORMATS, in_format
from benchmarks.measure import Measured, measure
from gpucurate.backends.executors import usable_cores
from gpucurate.spec.bytesize import format_bytes, parse_bytes

COMMANDS = {
    "fuzzy": ["dedup", "fuzzy"],
    "exact": ["dedup", "exact"],
    "exact --annotate": ["dedup", "exact", "--annotate"],
}
SLICE = "100MB"
DISK = "1GB"  # written to see what the disk takes


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of one command over one corpus."""

    command: str
    format: str
    size: int
    written: int
    documents: int
    seconds: float
    peak_pss: int
    phases: dict[str, float]


def corpus(folder: Path, size: str) -> list[Path]:
    """The files of a corpus of ``size``, built if they are not there."""
    path = folder / f"corpus-{size}"
    if not (path / ".done").exists():
        shutil.rmtree(path, ignore_errors=True)
        measure([sys.executable, "-m", "benchmarks.corpus", str(path), "--size", size])
        (path / ".done").touch()
    return sorted(path.glob("*.jsonl"))


def sample(files: list[Path], size: str, of: str) -> list[Path]:
    """Files of about ``size`` in all, evenly from a corpus of size ``of``: text of the same mixture."""
    count = max(1, round(len(files) * parse_bytes(size) / parse_bytes(of)))
    return [files[i * len(files) // count] for i in range(count)]


def run(
    name: str,
    plain: list[Path],
    folder: Path,
    runs: int,
    format: str = "jsonl",
    options: tuple[str, ...] = (),
) -> Row:
    """Run a command several times over the records of plain JSONL files, given to it in a format."""
    home = plain[0].parent
    files = in_format(plain, home.with_name(f"{home.name}-{format}"), format)
    output = folder / "output"
    measured: list[Measured] = []
    report: dict[str, object] = {}
    for _ in range(runs):
        shutil.rmtree(output, ignore_errors=True)
        inputs = map(str, files)
        command = [
            sys.executable,
            "-m",
            "gpucurate",
            *COMMANDS[name],
            *inputs,
            "-o",
            str(output),
            "--quiet",
            *options,
        ]
        measured.append(measure(command))
        report = json.loads((output / "_gpucurate" / "report.json").read_bytes())
    written = sum(path.stat().st_size for path in output.iterdir() if path.is_file())
    shutil.rmtree(output)
    return Row(
        name,
        format,
        sum(path.stat().st_size for path in plain),
        written,
        int(report["books"]["read"]),  # type: ignore[index]
        statistics.median(m.seconds for m in measured),
        int(statistics.median(m.peak_pss for m in measured)),
        {phase["name"]: phase["seconds"] for phase in report["phases"]},  # type: ignore[attr-defined]
    )


def peer(folder: Path, runs: int) -> tuple[float, float]:
    """Megabytes a second of gpucurate's fuzzy command and of the peer (once), on the same slice."""
    files = corpus(folder, SLICE)
    size = sum(path.stat().st_size for path in files) / 1e6
    data = str(files[0].parent)
    target = str(folder / "peer.jsonl")
    cores = str(usable_cores())
    theirs = measure([sys.executable, "-m", "benchmarks.peer_datasketch", data, target, cores])
    ours = run("fuzzy", files, folder, runs)
    return size / ours.seconds, size / theirs.seconds


def table(rows: list[Row]) -> None:
    """Print the rows."""
    print("| command | format | corpus | documents | seconds | MB/s | peak memory | phases |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        size, rate = format_bytes(row.size), row.size / row.seconds / 1e6
        phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in row.phases.items())
        print(
            f"| {row.command} | {row.format} | {size} | {row.documents:,} | {row.seconds:.1f} | {rate:.0f} | "
            f"{format_bytes(row.peak_pss)} | {phases} |"
        )


def output_rates(rows: list[Row], disk: float) -> None:
    """Print how fast the output was written beside what the disk takes."""
    print(f"- the disk takes {disk / 1e6:.0f} MB/s with fsync, one process, from memory")
    for row in rows:
        if row.format == "jsonl":
            phase, whole = row.written / row.phases["write"], row.written / row.seconds
            print(
                f"- {row.command}, {format_bytes(row.size)}: output in phase `write` {phase / 1e6:.0f} MB/s, "
                f"{phase / disk:.0%} of the disk; over the whole command {whole / 1e6:.0f} MB/s, "
                f"{whole / disk:.0%}"
            )


def growth(rows: list[Row]) -> None:
    """Print what a larger corpus costs: the largest against a tenth, and seconds a gigabyte more."""
    fuzzy = sorted(
        (row for row in rows if row.command == "fuzzy" and row.format == "jsonl"), key=lambda row: row.size
    )
    for small, large in pairwise(fuzzy):
        step = f"from {format_bytes(small.size)} to {format_bytes(large.size)}"
        allowed = small.peak_pss * 1.1 + 32 * (large.documents - small.documents)
        peaks = f"{format_bytes(small.peak_pss)} to {format_bytes(large.peak_pss)}"
        print(f"- peak memory {step}: {peaks}; plus 10% and 32 bytes a document: {format_bytes(allowed)}")
        marginal = (large.seconds - small.seconds) / (large.size - small.size) * 1e9
        print(f"- seconds a gigabyte {step}: {marginal:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where corpora and outputs lie")
    parser.add_argument("--sizes", nargs="+", default=["100MB", "1GB"], help="of the corpora")
    parser.add_argument("--runs", type=int, default=3, help="of each command; medians are printed")
    parser.add_argument("--commands", nargs="+", default=["fuzzy", "exact"], choices=COMMANDS)
    parser.add_argument("--formats", nargs="+", default=["jsonl"], choices=FORMATS)
    parser.add_argument("--memory", help="given to the commands")
    parser.add_argument("--no-peer", action="store_true", help="leave datasketch out")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    print(f"{usable_cores()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    run("fuzzy", corpus(arguments.folder, SLICE), arguments.folder, 1)  # compile what is not compiled yet
    options = ("--memory", arguments.memory) if arguments.memory else ()
    sizes = sorted(arguments.sizes, key=parse_bytes)
    files = corpus(arguments.folder, sizes[-1])
    rows = [
        run(name, sample(files, size, sizes[-1]), arguments.folder, arguments.runs, format, options)
        for format in arguments.formats
        for name in arguments.commands
        for size in sizes
    ]
    table(rows)
    print()
    growth(rows)
    output_rates(rows, disk_rate(sample(files, DISK, sizes[-1]), arguments.folder / "disk"))
    if not arguments.no_peer:
        ours, theirs = peer(arguments.folder, arguments.runs)
        rates = f"{ours:.1f} MB/s, datasketch pipeline {theirs:.2f} MB/s"
        print(f"- {SLICE} slice: {rates}, ratio {ours / theirs:.1f}")
        best = max(row.size / row.seconds / 1e6 for row in rows if row.command == "fuzzy")
        print(f"- the highest rate of the table beside that of datasketch on the slice: {best / theirs:.0f}")


if __name__ == "__main__":
    main()
