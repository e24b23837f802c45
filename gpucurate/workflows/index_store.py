"""Indexes appear as a whole, and change as a whole."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpucurate.dedup.index import INDEX_JSON, Index
from gpucurate.disk.files import PUBLIC, fsync_folder, make_folder, remove_temporaries, write_atomic
from gpucurate.spec.errors import OutputInUseError
from gpucurate.spec.storage import storage_errors


def refuse_occupied(folder: Path) -> None:
    """Refuse a folder for a new index that holds something.

    Raises:
        OutputInUseError: it does, or it is a file.
        StorageError: it cannot be read.
    """
    with storage_errors(folder, "read"):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputInUseError(
                f"the folder {folder} for the index holds something already: give a new or empty one, and "
                "put indexes together with `gpucurate index merge`"
            )


@contextmanager
def new_index(folder: Path) -> Iterator[Path]:
    """A folder beside ``folder``, which takes its place once the block has ended well.

    A process that is killed leaves it, under a hidden name; the next one empties it.

    Raises:
        OutputInUseError: another process is making it.
        StorageError: not possible.
    """
    folder = folder.resolve()  # a folder does not take the place of a link
    making = folder.with_name(f".{folder.name}.tmp")
    make_folder(making)
    with only_one(
        making, f"the index {folder} is being made by another run: give this one a folder of its own"
    ):
        with storage_errors(making):
            for left in making.iterdir():  # by a process that was killed; an index has no folders
                left.unlink()
        try:
            yield making
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        with storage_errors(folder):
            fsync_folder(making)
            making.replace(folder)
            fsync_folder(folder.parent)


def put(index: Index) -> None:
    """Write ``index.json``, whole or not at all; from then on the folder holds this index.

    Raises:
        StorageError: not possible.
    """
    with storage_errors(index.folder):
        fsync_folder(index.folder)  # of the files that it names
    write_atomic(index.folder / INDEX_JSON, index.to_json(), PUBLIC)


def take_files(source: Index, target: Path) -> None:
    """Give the files of an index a second name in another folder; copy them where that cannot be.

    Raises:
        StorageError: not possible.
    """
    make_folder(target)
    for file in source.files:
        for path in (source.keys_path(file), source.origins_path(file)):
            with storage_errors(target / path.name):
                _link(path, target / path.name)


def _link(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except FileExistsError:
        return  # called by its content: it is the same file
    except OSError:  # another disk, or one without links
        shutil.copyfile(path, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())


def remove_unnamed(index: Index) -> None:
    """Remove the files of an index's folder that the index does not name: those of an earlier state.

    Raises:
        StorageError: not possible.
    """
    named = {path for file in index.files for path in (index.keys_path(file), index.origins_path(file))}
    with storage_errors(index.folder, "clean"):
        for path in [*index.folder.glob("*.keys"), *index.folder.glob("*.parquet")]:
            if path not in named:
                path.unlink()
        remove_temporaries(index.folder)


@contextmanager
def only_one(folder: Path, otherwise: str | None = None) -> Iterator[None]:
    """Hold a folder, so that no other process changes it meanwhile.

    Args:
        folder: that is to be changed.
        otherwise: what is said if another process is at it.

    Raises:
        OutputInUseError: another one is at it.
        StorageError: it cannot be locked.
    """
    with storage_errors(folder, "lock"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with storage_errors(folder, "lock"):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputInUseError(
                    otherwise or f"{folder} is being changed by another process: wait for it"
                ) from None
        yield
    finally:
        os.close(descriptor)
