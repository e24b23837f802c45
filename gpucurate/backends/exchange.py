"""How tasks get from the workers of one segment to those of the next."""

from __future__ import annotations

import mmap
import os
import pickle
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from gpucurate.backends.packing import Packed, pack, unpack
from gpucurate.disk.files import PRIVATE, PRIVATE_FOLDER, make_folder
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import InputLostError
from gpucurate.spec.storage import storage_errors
from gpucurate.tasks.task import Task

AnyTask = Task[Any]

_MARK_BYTES = 16
_END = struct.Struct(f"<QQ{_MARK_BYTES}s")
"""Where the index begins, its length, and the mark of the exchange."""

_ANEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW

MAPPED_FROM = 4 * MIB
"""Smaller files are read, which takes less time than the page faults of a map."""


class Exchange(Protocol):
    """Keeps what a segment made of a unit until the next one is done with it; can be pickled."""

    def put(self, tasks: Iterator[AnyTask], name: str) -> tuple[Any, int]:
        """Keep tasks of the host, one at a time.

        Args:
            tasks: as they leave the last stage.
            name: of the attempt, unique in the run.

        Returns:
            A handle, which can be pickled, and the bytes that are held.

        Raises:
            StorageError: there is no room.
        """
        ...

    def get(self, handle: Any) -> Iterator[AnyTask]:
        """The tasks, loaded as they are asked for; they may be read again.

        Raises:
            InputLostError: they are gone, or torn.
        """
        ...

    def drop(self, handle: Any) -> None:
        """Let go of the tasks; nothing if they are gone. Those that were loaded stay whole."""
        ...


class Parcel(NamedTuple):
    """A file of tasks."""

    path: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class FolderExchange:
    """One file a unit in a folder that the workers share: in shared memory, or on a disk.

    Columns of the tasks that come out of a large file are views of its pages, private to the reader, so
    they cost no copy, may be written to, and stay whole when the file is removed.

    What is not a column is pickled, and loading a pickle can run anything: so a file is its owner's alone,
    ends with a mark that nobody outside the run knows, and is not loaded without.

    Args:
        folder: made with the first file.
        mark: last bytes of a whole file of this exchange.
    """

    folder: Path
    mark: bytes = field(default_factory=partial(os.urandom, _MARK_BYTES), repr=False)

    def put(self, tasks: Iterator[AnyTask], name: str) -> tuple[Parcel, int]:
        """Write tasks to a file as they come.

        Raises:
            StorageError: the folder is full, or cannot be written to.
            Exception: what a task raises that is pickled; the file is gone then.
        """
        make_folder(self.folder, PRIVATE_FOLDER)
        path = self.folder / name
        try:
            with storage_errors(path):
                os.close(os.open(path, _ANEW, PRIVATE))
                with pa.OSFile(str(path), "wb") as out:
                    _write(tasks, out, self.mark)
                    size = out.tell()
        except BaseException:
            with suppress(OSError):  # it was never made; what led here is to be seen
                path.unlink()
            raise
        return Parcel(str(path), size), size

    def get(self, handle: Parcel) -> Iterator[AnyTask]:
        """The tasks of a file, one at a time.

        Raises:
            InputLostError: it is gone, or torn.
        """
        data, index = _open(handle, self.mark)
        for packed in index:
            yield unpack(packed, data)  # straight on, so that no variable holds it

    def drop(self, handle: Parcel) -> None:
        """Remove the file.

        Raises:
            StorageError: it is there and cannot be removed.
        """
        _remove(Path(handle.path))

    def abandon(self, name: str) -> None:
        """Remove the file of an attempt, whole or not: its worker died, and gave nobody the handle.

        Raises:
            StorageError: it is there and cannot be removed.
        """
        _remove(self.folder / name)


def _remove(path: Path) -> None:
    with storage_errors(path, "remove"):
        path.unlink(missing_ok=True)


def _write(tasks: Iterator[AnyTask], out: Any, mark: bytes) -> None:
    # Not a comprehension: its variable would hold a task while the next one is made.
    index = list(map(partial(pack, out=out), tasks))
    raw = pickle.dumps([tuple(packed) for packed in index], protocol=5)
    begin = out.tell()
    out.write(raw)
    out.write(_END.pack(begin, len(raw), mark))


def _bytes_of(file: BufferedReader) -> memoryview:
    """What a file holds, private to this process and writable."""
    size = os.fstat(file.fileno()).st_size
    if size >= MAPPED_FROM:
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY))
    data = np.empty(size, np.uint8).data  # not bytearray, which would be filled with zeros first
    return data[: file.readinto(data)]


def _open(handle: Parcel, mark: bytes) -> tuple[memoryview, list[Packed]]:
    """The bytes of a file, and where its tasks lie."""
    try:
        with Path(handle.path).open("rb") as file:
            data = _bytes_of(file)
    except OSError as error:
        raise InputLostError(f"what was handed on in {handle.path} cannot be opened: {error}") from error
    begin, size, found = _END.unpack(data[-_END.size :]) if len(data) >= _END.size else (0, 0, b"")
    if len(data) != handle.nbytes or found != mark:
        raise InputLostError(
            f"what was handed on in {handle.path} is torn, or not of this run: it has {len(data):,} bytes of "
            f"{handle.nbytes:,}"
        )
    return data, [Packed(*entry) for entry in pickle.loads(data[begin : begin + size])]
