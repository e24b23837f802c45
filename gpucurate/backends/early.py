"""Workers loaded while a command still plans; imports next to nothing, so that it can come first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from gpucurate.backends.cores import usable_cores
from gpucurate.backends.fork_server import start_early

_LARGE = 64 << 20
_LOOKED_AT = 10_000


def start_early_for(arguments: list[str]) -> None:
    """Start what workers are forked from, if a command seems to be worth some.

    A guess by its bare arguments, before they are parsed: the run does not depend on it.

    Args:
        arguments: of the command line.
    """
    if arguments[:1] == ["dedup"] and not {"--help", "--dry-run"} & set(arguments) and usable_cores() > 1:
        paths = [argument for argument in arguments[2:] if not argument.startswith("-")]
        if _seem_large(paths):
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
