"""What a run left on disk, to be compared."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq


def digests(folder: Path) -> dict[str, str]:
    """Digest of every output file and of the cluster artefact, by relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_file() and (not relative.startswith("_gpucurate") or "/clusters/" in relative):
            found[relative] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def lines(folder: Path) -> list[bytes]:
    """All lines of the JSONL output, files in order of their names."""
    paths = [p for p in sorted(folder.rglob("*.jsonl")) if "_gpucurate" not in p.parts]
    return [line for path in paths for line in path.read_bytes().splitlines(keepends=True)]


def report(folder: Path) -> dict[str, Any]:
    """The report of a run."""
    values: dict[str, Any] = orjson.loads((folder / "_gpucurate" / "report.json").read_bytes())
    return values


def clusters(folder: Path) -> list[dict[str, Any]]:
    """Rows of the cluster artefact."""
    rows: list[dict[str, Any]] = pq.read_table(folder / "_gpucurate" / "clusters").sort_by("id").to_pylist()
    return rows
