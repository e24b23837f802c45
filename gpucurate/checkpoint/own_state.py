"""What shows that a folder which was given for the state of a run is this program's, and what in it is.

Nothing that cannot be shown to be our own is removed, overwritten or given other permissions: a folder for
state is new, empty, holds our ``run.json``, or no more than a run leaves that was killed before it had one.
"""

from __future__ import annotations

import re
from pathlib import Path

from gpucurate.checkpoint.state_files import parse_state
from gpucurate.checkpoint.store import FOLDER
from gpucurate.spec.errors import ConfigurationError, OutputInUseError
from gpucurate.spec.storage import storage_errors

RUN = "run.json"

_OWNERS = ("lock", "epoch", "epochs", "owner")
"""Who owns the folder now, and who did before."""

_STATE = (
    "_SUCCESS", "attempts", "clusters", "commit.log", "copying", "cuts", "decisions", "edges", "events",
    "in_index.parquet", "indexes.json", "manifest.json", "phases", "quarantine", "records", "rejects",
    "report.json", "sample.json", "scratch", "stalls",
)  # fmt: skip
_LISTING = re.compile(r"listing-[0-9a-f]+\.jsonl\.zst")
_TEMPORARY = re.compile(r"\.(.+?)(\.[0-9]+)?\.tmp")
_NUMBER = re.compile(rb"[0-9]{1,20}\s*")


def is_state(name: str) -> bool:
    """Whether a run keeps something of this name in its folder, besides ``run.json`` and whose it is."""
    temporary = _TEMPORARY.fullmatch(name)
    if temporary is not None:
        return temporary[1] in (*_STATE, *_OWNERS, RUN) or _LISTING.fullmatch(temporary[1]) is not None
    return name in _STATE or _LISTING.fullmatch(name) is not None


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder for state that holds what is not, or cannot be shown to be, a run's.

    Raises:
        OutputInUseError: it does.
        ConfigurationError: it is a file.
        StorageError: it cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"the checkpoint path {folder} is a file: give a folder")
    with storage_errors(folder, "read"):
        there = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
    if RUN in there:
        _refuse_damaged(folder / RUN)
    elif strange := [name for name in there if not is_beginning(folder / name)]:
        raise OutputInUseError(
            f"the checkpoint path {folder} is not empty (it holds {strange[0]!r}), and no run.json in it "
            "shows that it is of a run: give a new or empty folder"
        )


def _refuse_damaged(path: Path) -> None:
    with storage_errors(path, "read"):
        content = path.read_bytes()
    try:
        told = parse_state(RUN, content)
        if "format" not in told:
            raise ValueError("it has no 'format'")
    except ValueError as error:
        raise OutputInUseError(
            f"{path} is none of gpucurate's, or damaged ({error}): nothing shows whose {path.parent} is. "
            "Give a new or empty folder as checkpoint path, and another output if that one holds something"
        ) from error


def is_beginning(path: Path, identity: str = RUN) -> bool:
    """Whether this is what a run leaves that is killed before what tells whose the folder is has its name.

    Args:
        path: in the folder.
        identity: what tells that.
    """
    temporary = _TEMPORARY.fullmatch(path.name)
    if temporary is not None:
        return temporary[2] is not None and temporary[1] in (*_OWNERS, identity)
    if path.name not in ("lock", "epoch") or not path.is_file():
        return False
    with storage_errors(path, "read"):
        content = path.read_bytes()
    return _is_number(content) if path.name == "epoch" else _is_lock(path, content)


def _is_number(content: bytes) -> bool:
    return _NUMBER.fullmatch(content) is not None


def _is_lock(path: Path, content: bytes) -> bool:
    """Whether it says who owned the folder; after a loss of power, which may garble it, the epoch does."""
    try:
        parse_state("lock", content)
    except ValueError:
        epoch = path.with_name("epoch")
        return not content.strip(b"\0") or (epoch.is_file() and _is_number(epoch.read_bytes()))
    return True


def refuse_overlap(output: Path, folder: Path) -> None:
    """Refuse state in the output, but for ``_gpucurate`` in it, and state around the output.

    Raises:
        ConfigurationError: they overlap.
    """
    target, state = output.resolve(), folder.resolve()
    lies_inside = state.is_relative_to(target) and state != target / FOLDER
    if target.is_relative_to(state) or lies_inside:
        raise ConfigurationError(
            f"the checkpoint path {folder} and the output {output} overlap: give a folder of its own, "
            f"outside of the output, or none, and the state lies in {output / FOLDER}"
        )
