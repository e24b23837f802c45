"""What the distribution of keys costs: one cluster of all documents against clusters of two.

    python -m benchmarks.bench_grouping [--folder FOLDER] [--documents 1000000] [--runs 3]

Two corpora of equal documents and equal bytes, deduplicated by the whole command (fuzzy, exact), and
their keys grouped alone with memory for a whole band and for a fifth of one. Prints Markdown
tables for RESULTS.md: seconds (medians), peak memory, and the ratio of the two corpora.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import measure
from gpucurate.dedup.components import find_components
from gpucurate.dedup.key_file import KeyFileWriter, KeySet, Layout
from gpucurate.spec.bytesize import format_bytes

BANDS = 16
WORDS = 40
CORPORA = ("one cluster", "clusters of two")


def texts(kind: str, documents: int) -> Iterator[str]:
    """Documents of equal length, all the same or each one twice."""
    rng = random.Random(3)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(20_000)]
    if kind == "one cluster":
        text = " ".join(rng.choices(words, k=WORDS))
        yield from (text for _ in range(documents))
        return
    for _ in range(documents // 2):
        text = " ".join(rng.choices(words, k=WORDS))
        yield text
        yield text


def keys(kind: str, documents: int) -> np.ndarray:
    """Keys of such documents: uint64[documents, BANDS]."""
    distinct = 1 if kind == "one cluster" else documents // 2
    values = np.random.default_rng(1).integers(0, 2**64, (distinct, BANDS), dtype=np.uint64)
    return values[np.arange(documents) % distinct]


def key_set(path: Path, values: np.ndarray) -> KeySet:
    """The keys on disk, as one unit of pieces of 20,000 documents."""
    writer = KeyFileWriter(path, Layout(BANDS))
    for at in range(0, len(values), 20_000):
        part = values[at : at + 20_000]
        writer.append(len(part), np.arange(len(part), dtype=np.uint32), part, np.ones(len(part), np.uint32))
    writer.close()
    return KeySet([path], np.array([0, len(values)], np.int64))


def grouping(folder: Path, documents: int, runs: int) -> None:
    """Print what grouping alone takes."""
    print(f"| grouping alone, {BANDS} bands | memory given | seconds | peak of arrays |")
    print("| --- | --- | --- | --- |")
    for share in (1, 5):
        memory = 4 * documents + 24 * documents // share
        medians = []
        for kind in CORPORA:
            stored = key_set(folder / "keys", keys(kind, documents))
            seconds = [_group(stored, memory, folder)[0] for _ in range(runs)]
            tracemalloc.start()
            _group(stored, memory, folder)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            medians.append(statistics.median(seconds))
            print(f"| {kind} | {format_bytes(memory)} | {medians[-1]:.2f} | {format_bytes(peak)} |")
        print(f"| ratio | | {medians[0] / medians[1]:.2f} | |")
    (folder / "keys").unlink()


def _group(stored: KeySet, memory: int, folder: Path) -> tuple[float, np.ndarray]:
    began = time.monotonic()
    labels = find_components(
        stored, BANDS, wide=False, memory=memory, threads=2, scratch=folder / "grouping-scratch"
    )
    return time.monotonic() - began, labels


def commands(folder: Path, documents: int, runs: int) -> None:
    """Print what the whole command takes."""
    for kind in CORPORA:
        with (folder / f"{kind.replace(' ', '-')}.jsonl").open("w") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in texts(kind, documents))
    print("| command | corpus | bytes | seconds | peak memory | phases |")
    print("| --- | --- | --- | --- | --- | --- |")
    for command in ("fuzzy", "exact"):
        found = {kind: _command(folder, command, kind, runs) for kind in CORPORA}
        one, two = (found[kind] for kind in CORPORA)
        print(f"| {command} | ratio | | {one[0] / two[0]:.2f} | {one[1] / two[1]:.2f} | |")


def _command(folder: Path, command: str, kind: str, runs: int) -> tuple[float, float]:
    source, output = folder / f"{kind.replace(' ', '-')}.jsonl", folder / "grouping-output"
    measured = []
    for _ in range(runs):
        shutil.rmtree(output, ignore_errors=True)
        arguments = ["dedup", command, str(source), "-o", str(output), "--quiet"]
        measured.append(measure([sys.executable, "-m", "gpucurate", *arguments]))
    report = json.loads((output / "_gpucurate" / "report.json").read_bytes())
    shutil.rmtree(output)
    seconds = statistics.median(m.seconds for m in measured)
    peak = statistics.median(m.peak_pss for m in measured)
    phases = ", ".join(f"{phase['name']} {phase['seconds']:.1f}" for phase in report["phases"])
    size = format_bytes(source.stat().st_size)
    print(f"| {command} | {kind} | {size} | {seconds:.1f} | {format_bytes(peak)} | {phases} |")
    return seconds, peak


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where corpora and outputs lie")
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="of each measurement; medians are printed")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    grouping(arguments.folder, arguments.documents, arguments.runs)
    print()
    commands(arguments.folder, arguments.documents, arguments.runs)


if __name__ == "__main__":
    main()
