"""Outputs in an object store, where nothing can be renamed: an attempt becomes visible all at once."""

from __future__ import annotations

import io
import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gpucurate.checkpoint.at_once import at_once
from gpucurate.checkpoint.pending import Pending
from gpucurate.checkpoint.store import FOLDER, LocalStore, Store, nobody_to_ask
from gpucurate.disk.crash import reach
from gpucurate.disk.files import make_folder, open_private, publish
from gpucurate.io.retrying import sentence_of
from gpucurate.io.s3 import ConditionError
from gpucurate.io.urls import redact
from gpucurate.spec.errors import StorageError
from gpucurate.spec.unit import OutputFile

PART_BYTES = 8 << 20
"""Bytes that are sent, or fetched, at a time."""


class ObjectStore(Store):
    """A prefix of a store behind fsspec.

    It is listed once, when a size is first asked for; after that it keeps book of what it writes: a run
    folder has one owner. Whoever is not the owner asks for :meth:`contents`, and forgets sizes by
    :meth:`refresh`.

    Args:
        url: of the output.
        mirror: copies of what lies beneath ``_gpucurate/``, for those who read by path; None if there are
            to be none.

    Attributes:
        check_owner: is called before anything becomes visible, and raises if the run lost its folder.
    """

    def __init__(self, url: str, mirror: LocalStore | None = None) -> None:
        self.url = url
        self.shown = redact(url)
        self.mirror = mirror
        self.check_owner: Callable[[], None] = nobody_to_ask
        self._sizes: dict[str, int] | None = None

    def __reduce__(self) -> tuple[type[ObjectStore], tuple[str, LocalStore | None]]:
        return type(self), (self.url, self.mirror)  # a worker knows nothing of owners and sizes

    # What a kind of store has to say.

    @abstractmethod
    def listing(self, prefix: str = "") -> Iterator[tuple[str, int, str | None]]:
        """Name, bytes and entity tag, where there is one, of each object."""

    @abstractmethod
    def read(self, name: str, start: int, stop: int) -> bytes:
        """Bytes of an object."""

    @abstractmethod
    def age(self, name: str) -> float | None:
        """Seconds since an object was written; None if there is none."""

    @abstractmethod
    def _replace(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Put, if the object has this tag or none is given; the new one's.

        Raises:
            ConditionError: it has another one.
        """

    @abstractmethod
    def upload(self, output: OutputFile) -> OutputFile:
        """Bring a finished attempt into the store, seen by nobody; called by workers.

        Raises:
            StorageError: not possible; nothing of it is left.
        """

    @abstractmethod
    def abandon(self, output: OutputFile) -> None:
        """Drop what :meth:`upload` brought into the store."""

    @abstractmethod
    def end_uploads(self) -> None:
        """Drop what workers brought into the store and nobody will publish."""

    @abstractmethod
    def _put(self, name: str, content: bytes) -> None: ...

    @abstractmethod
    def _create(self, name: str, content: bytes) -> bool: ...

    @abstractmethod
    def _reveal(self, name: str, pending: Pending) -> None:
        """Make an attempt visible under its final name."""

    @abstractmethod
    def _delete(self, name: str) -> None: ...

    # What all of them do.

    def size(self, name: str) -> int | None:
        """Bytes of an object, as far as this owner knows."""
        return self._book.get(name)

    def open(self, name: str) -> BinaryIO:
        """Open an object for reading, some megabytes at a time."""
        size = self.size(name)
        if size is None:
            raise StorageError(f"cannot read {self.shown}/{name}: it is not there")
        return io.BufferedReader(_Reader(self, name, size), PART_BYTES)

    def read_whole(self, name: str) -> bytes | None:
        """All of a small object; None if there is none."""
        size = self.size(name)
        return None if size is None else self.read(name, 0, size)

    def write(self, name: str, content: bytes) -> None:
        """Put an object."""
        self.check_owner()
        with self._errors(name):
            self._put(name, content)
        self._note(name, len(content))

    def rewrite(self, name: str, content: bytes) -> None:
        """Put an object that belongs to this process alone, though the run may have lost its folder."""
        with self._errors(name):
            self._put(name, content)

    def replace(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Write an object in the place of the one with this tag; the new one's.

        Raises:
            StorageError: not possible, or there is another object than that, and it is not this one either,
                which is there where the answer to a put was lost.
        """
        self.check_owner()
        with self._errors(name):
            try:
                new = self._replace(name, content, tag)
            except ConditionError:
                new = self._tag(name)
                if self.content(name) != content:
                    raise
        self._note(name, len(content))
        return new

    def _tag(self, name: str) -> str | None:
        """The tag of an object as it is now; None if there is none."""
        return next((tag for found, _, tag in self.listing(name) if found == name), None)

    def create(self, name: str, content: bytes) -> bool:
        """Put an object if there is none of the name."""
        with self._errors(name):
            was_written = self._create(name, content)
        if was_written:
            self._note(name, len(content))
        return was_written

    def entries(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """The objects, as they are now."""
        with self._errors(prefix, "list"):
            for name, size, _ in self.listing(prefix):
                yield name, size

    def contents(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """The small objects, many requests at a time."""
        found = list(self.entries(prefix))
        read = at_once(lambda entry: self._whole(*entry), found)
        return (
            (name, content) for (name, _), content in zip(found, read, strict=True) if content is not None
        )

    def content(self, name: str) -> bytes | None:
        """All of a small object, as it is now."""
        return next((content for found, content in self.contents(name) if found == name), None)

    def _whole(self, name: str, size: int) -> bytes | None:
        """An object that was listed a moment ago; None if it is there no more."""
        try:
            return self.read(name, 0, size)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise

    def refresh(self) -> None:
        """Forget the listing: the next one who asks for a size has it done again."""
        self._sizes = None

    def names(self, prefix: str) -> list[str]:
        """Names that begin so, sorted, as far as this owner knows."""
        return sorted(name for name in self._book if name.startswith(prefix))

    def remove(self, name: str) -> None:
        """Delete an object."""
        with self._errors(name, "remove"):
            self._delete(name)
        self._book.pop(name, None)

    def remove_all(self, names: Iterable[str]) -> None:
        """Delete objects, many at a time."""
        at_once(self.remove, names)

    def publish(self, outputs: Sequence[OutputFile]) -> None:
        """Make attempts visible, many at a time; those of the run folder get their place in the mirror."""
        self.check_owner()
        at_once(self._publish, outputs)
        here = [(path, output.name) for output in outputs if (path := _path(output)).exists()]
        if self.mirror is not None:
            publish([(path, self.mirror.path(name)) for path, name in here if is_of_state(name)])
        for path, _ in here:
            path.unlink(missing_ok=True)

    def _publish(self, output: OutputFile) -> None:
        pending = Pending.of(output)
        if pending is None:  # no worker has brought it: it is done here
            pending = Pending.of(self.upload(output))
            assert pending is not None
        reach("publish.before_reveal")
        with self._errors(output.name):
            self._reveal(output.name, pending)
        reach("publish.after_reveal")
        self._note(output.name, output.bytes)

    def put_file(self, name: str, path: Path) -> None:
        """Write an object from a file of this machine, which stays."""
        self.check_owner()
        output = OutputFile(name, str(path), 0, path.stat().st_size, "")
        pending = Pending.of(self.upload(output))
        assert pending is not None
        with self._errors(name):
            self._reveal(name, pending)
        self._note(name, output.bytes)

    def fetch(self, name: str, path: Path) -> None:
        """Copy an object to a file of this machine, which has the name once it is whole."""
        make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.fetching")
        with self.open(name) as source, open_private(temporary, "wb") as target:
            while block := source.read(PART_BYTES):
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        reach("fetch.before_rename")
        publish([(temporary, path)])

    @property
    def _book(self) -> dict[str, int]:
        if self._sizes is None:
            self._sizes = dict(self.entries())
        return self._sizes

    def _note(self, name: str, size: int) -> None:
        if self._sizes is not None:
            self._sizes[name] = size

    @contextmanager
    def _errors(self, name: str, what: str = "write") -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"cannot {what} {self.shown}/{name}: {sentence_of(error)}") from error


class _Reader(io.RawIOBase):
    """An object as a file."""

    def __init__(self, store: ObjectStore, name: str, size: int) -> None:
        self._store, self._name, self._size, self._at = store, name, size, 0

    def readable(self) -> bool:
        """True."""
        return True

    def readall(self) -> bytes:
        """The rest; without this it would come in requests of some kilobytes."""
        starts = range(self._at, self._size, PART_BYTES)
        self._at = self._size
        read = self._store.read
        return b"".join(read(self._name, start, min(start + PART_BYTES, self._size)) for start in starts)

    def readinto(self, buffer: object) -> int:
        """The next bytes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        stop = min(self._size, self._at + len(view))
        if stop == self._at:
            return 0
        block = self._store.read(self._name, self._at, stop)
        view[: len(block)] = block
        self._at += len(block)
        return len(block)


def is_of_state(name: str) -> bool:
    """Whether an output belongs to the run folder."""
    return name.startswith(f"{FOLDER}/")


def _path(output: OutputFile) -> Path:
    pending = Pending.of(output)
    return Path(output.attempt) if pending is None else pending.local
