"""Where the files of a run become final: a folder of this machine, or a prefix of an object store."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from gpucurate.disk.behind import Behind
from gpucurate.disk.files import PRIVATE, fsync_folder, make_folder, publish, write_atomic, write_together
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors
from gpucurate.spec.unit import OutputFile

FOLDER = "_gpucurate"

COPYING = "copying"
"""Of a run folder on another disk than its output: what is being copied there."""


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

    def later(self, call: Callable[[], None]) -> None:
        """Have something done to files of the run folder before anything that is published after this.

        Where that costs nothing it is done meanwhile, after all that was given before; here, at once.

        Raises:
            StorageError: it was done, and failed; else :meth:`settle` and what has to wait for it raise.
        """
        call()

    def write_later(self, name: str, content: bytes) -> None:
        """Write a small file as :meth:`write`, at the time of :meth:`later`. Errors as there."""
        self.later(partial(self.write, name, content))

    def settle(self) -> None:
        """Wait for what is to be done later.

        Raises:
            StorageError: it could not be.
        """
        return

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

    def contents(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of the small files whose name begins with ``prefix``, as they are now.

        A file that somebody removes meanwhile is left out: it is for whoever does not own the run folder.

        Raises:
            StorageError: not possible.
        """
        for name, _ in self.entries(prefix):
            content = self.content(name)
            if content is not None:
                yield name, content

    @abstractmethod
    def content(self, name: str) -> bytes | None:
        """All of a small file as it is now; None if there is none.

        Raises:
            StorageError: not possible.
        """

    def refresh(self) -> None:
        """Forget what was learned of sizes: another one writes here."""
        return

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; nothing if there is none.

        Raises:
            StorageError: not possible.
        """

    @abstractmethod
    def remove_all(self, names: Iterable[str]) -> None:
        """Remove files, and return when that is durable.

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
        behind: does what is to be done later; at once if None.

    Attributes:
        check_owner: is called before anything is written or removed, and raises if the run lost its folder.
    """

    def __init__(self, output: Path, state: Path, behind: Behind | None = None) -> None:
        self.check_owner: Callable[[], None] = nobody_to_ask
        self._behind = behind
        self._late: set[str] = set()
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
        self._await(name)
        path = self._path(name)
        try:
            return os.stat(path).st_size  # noqa: PTH116 - as above
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageError(f"cannot look at {path}: {error.strerror}") from error

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        self._await(name)
        path = self.path(name)
        with storage_errors(path, "read"):
            return path.open("rb")

    def write(self, name: str, content: bytes) -> None:
        """Write by a temporary name, fsync, rename."""
        self.settle()
        self._write(self.path(name), content)

    def _write(self, path: Path, content: bytes) -> None:
        self.check_owner()
        make_folder(path.parent)
        write_atomic(path, content)

    def write_together(self, files: Mapping[str, bytes]) -> None:
        """Write small files of one folder of which none relies on another; the folder is synced once.

        Raises:
            StorageError: as for :meth:`write`.
        """
        self.settle()
        self.check_owner()
        write_together([(self.path(name), content) for name, content in files.items()])

    def later(self, call: Callable[[], None]) -> None:
        """In a thread, if there is one for it."""
        if self._behind is None:
            call()
        else:
            self._behind.later(call)

    def write_later(self, name: str, content: bytes) -> None:
        """Whoever asks for the file before it is written waits."""
        self._late.add(name)
        self.later(partial(self._write, self.path(name), content))

    def settle(self) -> None:
        """Wait for the thread."""
        if self._behind is not None:
            self._behind.settle()

    def _await(self, name: str) -> None:
        if name in self._late:
            self.settle()

    def create(self, name: str, content: bytes) -> bool:
        """Write under a temporary name, and link: whoever comes second finds the name taken."""
        self.settle()
        self.check_owner()
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
        """The files of both folders, or of the one in which all such names lie; what vanishes is left out."""
        self.settle()
        inside = prefix.startswith(f"{FOLDER}/")
        if not inside:
            yield from self._below(self.output, "", prefix)
        if inside or f"{FOLDER}/".startswith(prefix):
            yield from self._below(self.state, f"{FOLDER}/", prefix)

    def _below(self, root: Path, above: str, prefix: str) -> Iterator[tuple[str, int]]:
        for folder, inner, names in os.walk(root):
            below = above if folder == str(root) else f"{above}{os.path.relpath(folder, root)}/"
            inner[:] = [each for each in inner if _meet(f"{below}{each}/", prefix) and below + each != FOLDER]
            for name in names:
                full = below + name
                size = self.size(full) if full.startswith(prefix) else None
                if size is not None:
                    yield full, size

    def content(self, name: str) -> bytes | None:
        """Read a file."""
        path = self.path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Unlink a file."""
        self.settle()
        self.check_owner()
        path = self.path(name)
        with storage_errors(path, "remove"):
            path.unlink(missing_ok=True)

    def remove_all(self, names: Iterable[str]) -> None:
        """Unlink files, and sync each folder once."""
        self.settle()
        folders: dict[Path, None] = {}
        for path in map(self.path, names):
            with storage_errors(path, "remove"), suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()
                folders[path.parent] = None
        for folder in folders:
            with storage_errors(folder):
                fsync_folder(folder)

    def publish(self, outputs: Sequence[OutputFile]) -> None:
        """Rename, then sync the folders; what goes to the run folder becomes its owner's alone."""
        self.settle()
        self.check_owner()
        for output in outputs:
            if output.name.startswith(f"{FOLDER}/"):
                with storage_errors(Path(output.attempt)):
                    Path(output.attempt).chmod(PRIVATE)
        moves = [(Path(output.attempt), self.path(output.name)) for output in outputs]
        publish(moves, self.state / COPYING)


def _meet(folder: str, prefix: str) -> bool:
    """Whether there may be names in a folder that begin with a prefix."""
    return folder.startswith(prefix) or prefix.startswith(folder)


def nobody_to_ask() -> None:
    """Of a store that no run owns."""
