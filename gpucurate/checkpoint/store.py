"""Where the files of a run become final: a folder of this machine, or a prefix of an object store."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from gpucurate.disk.files import PRIVATE, fsync_folder, make_folder, publish, write_atomic
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors
from gpucurate.spec.unit import OutputFile

FOLDER = "_gpucurate"


class Store(ABC):
    """Files by name, relative to the output, with ``/`` as separator.

    Names that begin with ``_gpucurate/`` are those of the run folder, which may lie elsewhere.

    Attributes:
        shown: the output, as messages name it.
    """

    shown: str

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Bytes of a file; None if there is none.

        Raises:
            StorageError: the store cannot be asked.
        """

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Open a file for reading from start to end.

        Raises:
            StorageError: it is not there, or cannot be read.
        """

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all; one that is there is replaced.

        Raises:
            StorageError: disk full, no permission, device error.
        """

    @abstractmethod
    def create(self, name: str, content: bytes) -> bool:
        """Write a small file if there is none of the name; whether it was written.

        Raises:
            StorageError: as :meth:`write`.
        """

    @abstractmethod
    def entries(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Name and bytes of every file whose name begins with ``prefix``, in no particular order.

        Raises:
            StorageError: not possible.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; nothing if there is none.

        Raises:
            StorageError: not possible.
        """

    @abstractmethod
    def publish(self, outputs: Sequence[OutputFile]) -> None:
        """Give finished attempts their final names, and return when that is durable.

        Raises:
            StorageError: not possible.
        """


class LocalStore(Store):
    """Folders of this machine, or of one that is mounted.

    Args:
        output: folder of the output.
        state: the run folder.
    """

    def __init__(self, output: Path, state: Path) -> None:
        self.shown = str(output)
        self.output = output
        self.state = state
        self._roots = str(output), str(state)

    def path(self, name: str) -> Path:
        """Where a file lies.

        Raises:
            StorageError: the name points outside the output.
        """
        return Path(self._path(name))

    def _path(self, name: str) -> str:
        """Where it lies: a hundred thousand finished units are looked up before a run goes on."""
        inside = name.removeprefix(f"{FOLDER}/")
        root = self._roots[inside != name]
        if inside.startswith("/") or ".." in inside.split("/"):
            raise StorageError(f"the output name {name!r} points outside {root}")
        return f"{root}/{inside}"

    def size(self, name: str) -> int | None:
        """Bytes of a file."""
        path = self._path(name)
        try:
            return os.stat(path).st_size  # noqa: PTH116 - as above
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageError(f"cannot look at {path}: {error.strerror}") from error

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        path = self.path(name)
        with storage_errors(path, "read"):
            return path.open("rb")

    def write(self, name: str, content: bytes) -> None:
        """Write by a temporary name, fsync, rename."""
        path = self.path(name)
        make_folder(path.parent)
        write_atomic(path, content)

    def create(self, name: str, content: bytes) -> bool:
        """Write under a temporary name, and link: whoever comes second finds the name taken."""
        path = self.path(name)
        make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        write_atomic(temporary, content)
        with storage_errors(path):
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                temporary.unlink()
            fsync_folder(path.parent)
        return True

    def entries(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """The files of both folders."""
        for root, above in ((self.output, ""), (self.state, f"{FOLDER}/")):
            for folder, inner, names in os.walk(root):
                if not above and Path(folder) == self.output and FOLDER in inner:
                    inner.remove(FOLDER)
                below = os.path.relpath(folder, root)
                for name in names:
                    full = above + (name if below == "." else f"{below}/{name}")
                    if full.startswith(prefix):
                        with storage_errors(self.path(full), "look at"):
                            yield full, self.path(full).stat().st_size

    def remove(self, name: str) -> None:
        """Unlink a file."""
        path = self.path(name)
        with storage_errors(path, "remove"):
            path.unlink(missing_ok=True)

    def publish(self, outputs: Sequence[OutputFile]) -> None:
        """Rename, then sync the folders; what goes to the run folder becomes its owner's alone."""
        for output in outputs:
            if output.name.startswith(f"{FOLDER}/"):
                with storage_errors(Path(output.attempt)):
                    Path(output.attempt).chmod(PRIVATE)
        publish([(Path(output.attempt), self.path(output.name)) for output in outputs])
