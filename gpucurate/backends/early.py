"""Workers loaded while a command still plans; imports next to nothing, so that it can come first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from gpucurate.backends.cores import usable_cores
from gpucurate.backends.fork_server import start_early

_LARGE = 64 << 20
_LOOKED_AT = 10_000


def start_if_large(inputs: Iterable[str], workers: int | None) -> None:
    """Start what workers are forked from, if a run over ``inputs`` seems to be worth some.

    A guess, before anything is listed: the run does not depend on it.

    Args:
        inputs: files, folders, globs, URLs.
        workers: as the user asked for; None for one a core.
    """
    if workers is not None or (usable_cores() > 1 and _seem_large(list(inputs))):
        start_early()


def _seem_large(inputs: list[str]) -> bool:
    if any("://" in given for given in inputs):
        return True  # asking a store takes longer than starting a process
    size = 0
    for path in islice(_paths(inputs), _LOOKED_AT):
        try:
            size += path.stat().st_size
        except OSError:
            continue  # what is not there is told later
        if size >= _LARGE:
            return True
    return False


def _paths(inputs: list[str]) -> Iterator[Path]:
    for given in map(Path, inputs):
        if given.is_dir():
            for folder, _, names in os.walk(given):
                yield from (Path(folder, name) for name in names)
        elif any(wildcard in str(given) for wildcard in "*?["):
            yield from Path(given.anchor).glob(str(given.relative_to(given.anchor)))
        else:
            yield given
