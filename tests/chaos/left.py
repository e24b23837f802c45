"""What a run has left, as a value: what must be the same whatever happened on the way."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from gpucurate.checkpoint.ledger import Ledger
from gpucurate.checkpoint.log import read_log

STATE = "_gpucurate"
TIMED = ("events", "decisions", "lock", "epoch")
"""Of the run folder: who did what when. Read by people."""

_REPORTED = (
    "name", "input_bytes", "output_files", "output_bytes", "books", "counts", "reduced", "details",
    "warnings", "ignored", "quarantined",
)  # fmt: skip
"""Of the report: all but times, memory, tries, and what ran it."""


def left(output: Path) -> dict[str, Any]:
    """Every file of an output and its run folder, by name.

    Byte for byte (as a digest): all outputs, clusters, edges, rejects, quarantine, the manifest, plans;
    nothing may be there besides them. Of ``_SUCCESS`` what it says of those. Of ``commit.log`` the units of
    each phase with their files and books, each once, in any order. Of ``report.json`` all but times, memory
    and tries.
    """
    found: dict[str, Any] = {}
    for path in sorted(output.rglob("*")):
        name = str(path.relative_to(output))
        inside = path.relative_to(output).parts
        if inside[0] == STATE and len(inside) > 1 and inside[1] in TIMED:
            continue
        if path.is_dir():
            found[f"{name}/"] = None
        elif name == f"{STATE}/commit.log":
            found[name] = _records(path)
        elif name == f"{STATE}/report.json":
            found[name] = reported(orjson.loads(path.read_bytes()))
        elif name == f"{STATE}/_SUCCESS":
            found[name] = sealed(path.read_bytes())
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def sealed(content: bytes) -> list[Any]:
    """What ``_SUCCESS`` says of files that have to be the same."""
    files = orjson.loads(content)["files"]
    told_apart = ("commit.log", "report.json")
    return sorted(
        [each["name"], each["bytes"], each["checksum"]] for each in files if each["name"] not in told_apart
    )


def differences(there: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What is lost, doubled or other, as sentences."""
    lost = [f"{name} is not there" for name in wanted if name not in there]
    doubled = [f"{name} should not be there" for name in there if name not in wanted]
    other = [f"{name} differs" for name in wanted if name in there and there[name] != wanted[name]]
    return lost + doubled + other


def _records(path: Path) -> list[Any]:
    """Of units that were recorded twice, the last: what it says has to hold alone."""
    ledger = Ledger(read_log(path))
    records = ([phase, *each] for phase in ledger.phases() for each in ledger.standing(phase).items())
    return sorted([phase, unit, *record_of(record)] for phase, unit, record in records)


def record_of(record: dict[str, Any]) -> list[Any]:
    """What of a record of a unit has to be the same."""
    return [record["files"], record["books"], record["ranges"]]


def reported(report: dict[str, Any]) -> dict[str, Any]:
    """What of a report has to be the same; how much of a checkpoint there was is what happened on the way."""
    kept = {key: report.get(key) for key in _REPORTED}
    kept["warnings"] = [each for each in kept["warnings"] if not each.startswith("checkpoint ")]
    kept["counts"] = {each: n for each, n in kept["counts"].items() if not each.startswith("checkpoint: ")}
    return kept
