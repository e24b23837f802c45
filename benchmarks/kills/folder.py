"""What a reader of an output folder finds: documents, torn lines, files that are nobody's."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ENDINGS = (".jsonl", ".json")


@dataclass(frozen=True, slots=True)
class Found:
    """A folder at one moment.

    Attributes:
        ids: how often each document is there.
        torn_lines: lines that are no whole JSON object.
        torn_files: files with such a line, or without an end of line.
        leftovers: files that are no output: names that hide them, or end otherwise. What lies in a run folder
            (``_gpucurate``) is that of the run.
        by_file: ids of each whole file, with the time of its last change.
    """

    ids: Counter[str]
    torn_lines: int
    torn_files: int
    leftovers: list[str]
    by_file: dict[str, tuple[int, list[str]]] = field(repr=False)


def look(folder: Path) -> Found:
    """Read all files, as a glob over the folder would find them."""
    ids: Counter[str] = Counter()
    torn_lines = torn_files = 0
    leftovers: list[str] = []
    by_file: dict[str, tuple[int, list[str]]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_dir() or name.parts[0] == "_gpucurate":
            continue
        if name.name.startswith((".", "_")) or path.suffix not in ENDINGS:
            leftovers.append(str(name))
            continue
        here, torn = read(path)
        ids.update(here)
        torn_lines += torn
        if torn:
            torn_files += 1
        else:
            by_file[str(name)] = path.stat().st_mtime_ns, here
    return Found(ids, torn_lines, torn_files, leftovers, by_file)


def read(path: Path) -> tuple[list[str], int]:
    """The ids of a file of JSON lines, and how many lines are torn."""
    found, torn = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            found.append(str(json.loads(line)["id"]))
        except (ValueError, KeyError, TypeError):
            torn += 1
            continue
        torn += not line.endswith(b"\n") and not line.endswith(b"}")
    return found, torn


def done_again(before: Found, after: Found) -> float | None:
    """Of documents in whole files before, the share that was written once more; None if there were none."""
    there = {each for _, ids in before.by_file.values() for each in ids}
    if not there:
        return None
    fresh = {
        each
        for name, (changed, ids) in after.by_file.items()
        if name not in before.by_file or before.by_file[name][0] != changed
        for each in ids
    }
    return len(there & fresh) / len(there)
