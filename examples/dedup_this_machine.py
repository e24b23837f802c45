"""Deduplicate real text found on this machine, and show what was found: ``make demo``.

Gathers documentation, licences, manual pages and Python sources into ./demo-data, removes
exact and then near duplicates by the command line, and looks into the clusters they leave.
"""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.corpus import build
from gpucurate.spec.bytesize import format_bytes

SIZE = 80_000_000
DATA, OUTPUT = Path("demo-data"), Path("demo-output")
EXACT, FUZZY = OUTPUT / "exact", OUTPUT / "fuzzy"
SHOWN_CLUSTERS, SHOWN_MEMBERS, SHOWN_PAIRS, SHOWN_LINES = 3, 3, 3, 6

console = Console(highlight=False)


def main() -> None:
    began = time.perf_counter()
    gather()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    run("gpucurate", "dedup", "exact", DATA, "--output", EXACT)
    run("gpucurate", "dedup", "fuzzy", EXACT, "--output", FUZZY)
    show_largest("The largest clusters of equal documents", DATA, EXACT)
    show_largest("The largest clusters of near-duplicates", EXACT, FUZZY)
    show_pairs(EXACT, FUZZY)
    show_totals()
    console.print(f"\nAll of it took {time.perf_counter() - began:.0f} s. The text that was kept: {FUZZY}")
    console.print(f"Its clusters: {FUZZY}/_gpucurate/clusters")


def gather() -> None:
    """Fill ./demo-data, unless an earlier demo has done so."""
    if DATA.exists():
        console.print(f"Using the text that an earlier demo gathered in ./{DATA}")
        return
    console.print(f"Gathering up to {format_bytes(SIZE)} of text from this machine into ./{DATA}")
    unfinished = DATA.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    corpus = build(unfinished, SIZE, shard_size=16_000_000, harvest_only=True)
    unfinished.rename(DATA)
    console.print(f"{corpus.documents:,} documents, {format_bytes(corpus.nbytes)}")


def run(program: str, *arguments: str | Path) -> None:
    """Run a command of this environment as a user would; the demo ends where it fails."""
    words = [program, *map(str, arguments)]
    console.print(f"\n[bold]$ {' '.join(words)}[/]")
    done = subprocess.run([str(Path(sys.executable).with_name(program)), *words[1:]], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def show_largest(title: str, source: Path, output: Path) -> None:
    """The clusters with the most documents, some of their names, and how the first one begins."""
    clusters = sorted(clusters_of(output), key=lambda members: (-len(members), members[0]["id"]))
    clusters = clusters[:SHOWN_CLUSTERS]
    records = records_of(source, (member for members in clusters for member in members[:SHOWN_MEMBERS]))
    table = Table(title=title, title_justify="left", title_style="bold", show_lines=True, expand=True)
    table.add_column("size", justify="right")
    table.add_column("some of them", ratio=3)
    table.add_column("text", ratio=4)
    for members in clusters:
        shown = [records[place(member)] for member in members[:SHOWN_MEMBERS]]
        names = "\n".join(record["source"] for record in shown)
        table.add_row(f"{len(members):,}", Text(names, overflow="fold"), Text(first_line(shown[0]["text"])))
    console.print()
    console.print(table)


def show_pairs(source: Path, output: Path) -> None:
    """Near-duplicates side by side: the lines in which they differ."""
    pairs = [(members[0], members[1]) for members in clusters_of(output) if len(members) == 2]
    pairs = pairs[:: max(1, len(pairs) // 50)]  # from all over the corpus
    records = records_of(source, (member for pair in pairs for member in pair))
    shown = 0
    for one, other in pairs:
        left, right = records[place(one)], records[place(other)]
        rows = differing_lines(left["text"], right["text"])
        if not 2 <= len(rows) <= 40:  # some say little, some take long to read
            continue
        shown += 1
        console.print()
        console.print(side_by_side(left["source"], right["source"], rows))
        if shown == SHOWN_PAIRS:
            return


def differing_lines(left: str, right: str) -> list[tuple[str, str]]:
    """Lines of two texts where they differ, next to each other."""
    a, b = left.splitlines(), right.splitlines()
    rows = []
    for change, a0, a1, b0, b1 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if change != "equal":
            rows += [
                (a[a0 + i] if a0 + i < a1 else "", b[b0 + i] if b0 + i < b1 else "")
                for i in range(max(a1 - a0, b1 - b0))
            ]
    return [(x.strip(), y.strip()) for x, y in rows if x.strip() or y.strip()]


def side_by_side(left: str, right: str, rows: list[tuple[str, str]]) -> Table:
    title = "Near-duplicates: they differ in " + (f"{len(rows)} lines" if len(rows) > 1 else "one line")
    table = Table(title=title, title_justify="left", title_style="bold", expand=True)
    table.add_column(Text(left, overflow="fold"), ratio=1)
    table.add_column(Text(right, overflow="fold"), ratio=1)
    for x, y in rows[:SHOWN_LINES]:
        table.add_row(Text(x[:200]), Text(y[:200]))
    if len(rows) > SHOWN_LINES:
        table.add_row("...", "...")
    return table


def show_totals() -> None:
    """What each step read and removed, and how fast."""
    table = Table(title="In numbers", title_justify="left", title_style="bold")
    for name in ("", "documents read", "duplicates removed", "kept", "seconds", "MB/s"):
        table.add_column(name, justify="left" if not name else "right")
    for name, output in (("exact", EXACT), ("fuzzy", FUZZY)):
        report = json.loads((output / "_gpucurate" / "report.json").read_text())
        books = report["books"]
        numbers = (books["read"], sum(books["dropped"].values()), books["kept"])
        rate = report["input_bytes"] / 1e6 / report["seconds"]
        table.add_row(name, *(f"{n:,}" for n in numbers), f"{report['seconds']:.1f}", f"{rate:.0f}")
    console.print()
    console.print(table)


def clusters_of(output: Path) -> list[list[dict[str, Any]]]:
    """The members of each cluster, the one that was kept first; clusters by their first document."""
    clusters: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for member in pq.read_table(output / "_gpucurate" / "clusters").to_pylist():
        clusters[member["cluster"]].append(member)
    found = [sorted(members, key=lambda m: (not m["is_kept"], m["id"])) for members in clusters.values()]
    return sorted(found, key=lambda members: members[0]["cluster"])


def place(member: dict[str, Any]) -> tuple[str, int]:
    """Where a document lies: file and row."""
    return member["path"], member["row"]


def records_of(source: Path, members: Iterable[dict[str, Any]]) -> dict[tuple[str, int], dict[str, str]]:
    """The records of some documents of ``source``, by their place; each file is read once."""
    wanted = defaultdict(set)
    for path, row in map(place, members):
        wanted[path].add(row)
    records = {}
    for path, rows in wanted.items():
        with (source / path).open("rb") as file:
            for row, line in enumerate(islice(file, max(rows) + 1)):
                if row in rows:
                    records[path, row] = orjson.loads(line)
    return records


def first_line(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text[:400].split())
    return line[:160] + ("..." if len(line) > 160 else "")


if __name__ == "__main__":
    main()
