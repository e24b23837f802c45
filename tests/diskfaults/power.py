"""A power failure, after the fact: what was not synced is taken away, as much of it as chance has it.

What the disk promises, and no more: the bytes of a file once it was synced, a name once its folder was. Names
in a folder come to the disk in order, so that of those since it was synced the first few are there and the
others not. Bytes since a file was synced are there, or are zeros, or others, or the file ends before them.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.diskfaults.library import Faults


@dataclass
class _Unsynced:
    """What is not on disk.

    Attributes:
        bytes: (offset, count) of writes, by inode.
        names: position in the log and the call, by folder, in order.
    """

    bytes: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, list[tuple[int, list[str]]]] = field(default_factory=lambda: defaultdict(list))


def fail_power(faults: Faults, rng: random.Random, *, lose_all: bool = False) -> None:
    """Take away what the run had not synced when it ended.

    Args:
        faults: of the run, which logged.
        rng: decides.
        lose_all: nothing that was not synced is left.
    """
    unsynced = _unsynced(faults.log)
    lost = [
        call
        for calls in unsynced.names.values()
        for call in calls[0 if lose_all else rng.randrange(len(calls) + 1) :]
    ]
    for _, call in sorted(lost, reverse=True):
        _undo(call)
    for path in faults.under.rglob("*"):
        if path.is_file() and (ranges := unsynced.bytes.get(path.stat().st_ino)):
            _tear(path, ranges, rng, lose_all)


def _unsynced(log: list[list[str]]) -> _Unsynced:
    left = _Unsynced()
    for position, call in enumerate(log):
        match call:
            case ["W", inode, offset, count]:
                left.bytes[int(inode)].append((int(offset), int(count)))
            case ["S", inode]:
                left.bytes.pop(int(inode), None)
            case ["D", folder]:
                left.names.pop(folder, None)
            case ["C", path, inode]:
                left.bytes.pop(int(inode), None)  # that of a file that is gone
                left.names[os.path.dirname(path)].append((position, call))
            case ["R", _, path, _] | ["U", path, _] | ["M" | "X", path]:
                left.names[os.path.dirname(path)].append((position, call))
    return left


def _undo(call: list[str]) -> None:
    match call:
        case ["C", path, _]:
            Path(path).unlink(missing_ok=True)
        case ["M", path]:
            shutil.rmtree(path, ignore_errors=True)
        case ["X", path]:
            Path(path).mkdir(exist_ok=True, parents=True)
        case ["U", path, saved]:
            _put_back(saved, path)
        case ["R", before, path, saved]:
            if os.path.lexists(path) and Path(before).parent.is_dir():
                os.rename(path, before)
            elif os.path.lexists(path):
                shutil.rmtree(path) if Path(path).is_dir() else Path(path).unlink()
            _put_back(saved, path)


def _put_back(saved: str, path: str) -> None:
    if saved != "-" and Path(path).parent.is_dir():
        os.link(saved, path + ".put-back")
        os.rename(path + ".put-back", path)


def _tear(path: Path, ranges: list[tuple[int, int]], rng: random.Random, lose_all: bool) -> None:
    size = path.stat().st_size
    first = min(offset for offset, _ in ranges)
    with path.open("r+b") as file:
        if lose_all:
            file.truncate(min(size, first))
            return
        for offset, count in ranges:
            stop = min(size, offset + count)
            fate = rng.choice(["there", "zeros", "others"])
            if stop > offset and fate != "there":
                file.seek(offset)
                file.write(bytes(stop - offset) if fate == "zeros" else rng.randbytes(stop - offset))
        if rng.random() < 0.5 and size > first:
            file.truncate(rng.randrange(first, size + 1))
