"""Positioned reads of one file, local or in a store, that notice when it changes."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import numpy as np

from gpucurate.io.urls import is_url, open_filesystem, redact
from gpucurate.spec.errors import InputError
from gpucurate.spec.source import InputFile

_LARGEST_READ = 1 << 30


class ByteSource(ABC):
    """One open file: bytes by position.

    Use as a context manager; a clean exit checks that the file is still the listed one.
    """

    def __init__(self, file: InputFile) -> None:
        self.file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.check_unchanged()
        finally:
            self.close()

    @abstractmethod
    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` as far as the file goes; bytes read.

        Raises:
            InputError: the file cannot be read.
        """

    @abstractmethod
    def check_unchanged(self) -> None:
        """Compare size, time of change and entity tag with the listing.

        Raises:
            InputError: the file changed while it was read.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the file."""

    def read(self, offset: int, count: int) -> bytes:
        """At most ``count`` bytes from ``offset``; fewer at the end of the file."""
        buffer = np.empty(max(0, min(count, self.file.size - offset)), np.uint8)
        return buffer[: self.read_into(buffer.data, offset)].tobytes()


class LocalSource(ByteSource):
    """A file of this machine, read by ``preadv``."""

    def __init__(self, file: InputFile) -> None:
        super().__init__(file)
        with _as_input_errors(file.path):
            # O_NONBLOCK: a FIFO that took the file's place must not hang us.
            self._fd = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(self._fd).st_mode):
                raise InputError(f"{file.path} is not a regular file any more: list the input again")
            self.check_unchanged()
        except BaseException:
            os.close(self._fd)
            raise

    @property
    def open_path(self) -> str:
        """A path to the very file that is open, whatever took its name: for libraries that open by path."""
        return f"/proc/self/fd/{self._fd}"

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset``."""
        done = 0
        with _as_input_errors(self.file.path):
            while done < len(view):
                count = os.preadv(self._fd, [view[done : done + _LARGEST_READ]], offset + done)
                if count == 0:
                    break
                done += count
        return done

    def check_unchanged(self) -> None:
        """Compare size and time of change."""
        status = os.fstat(self._fd)
        _compare(self.file, status.st_size, status.st_mtime_ns, None)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._fd)


class StoreSource(ByteSource):
    """A file behind fsspec, read by ranges."""

    def __init__(self, file: InputFile) -> None:
        super().__init__(file)
        self._filesystem, self._path = open_filesystem(file.path)
        self.check_unchanged()

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` by one ranged request."""
        stop = min(offset + len(view), self.file.size)
        if stop <= offset:
            return 0
        with _as_input_errors(self.file.path):
            block = self._filesystem.cat_file(self._path, start=offset, end=stop)
        view[: len(block)] = block
        return len(block)

    def check_unchanged(self) -> None:
        """Ask the store again."""
        with _as_input_errors(self.file.path):
            self._filesystem.invalidate_cache(self._path)
            details = self._filesystem.info(self._path)
        _compare(self.file, *facts_of(details))

    def close(self) -> None:
        """Nothing is held open between reads."""


def open_source(file: InputFile) -> ByteSource:
    """Open a listed file.

    Raises:
        InputError: missing, not readable, or not what was listed.
        ConfigurationError: a URL that is not allowed, or without its driver.
    """
    return StoreSource(file) if is_url(file.path) else LocalSource(file)


def facts_of(details: dict[str, Any]) -> tuple[int, int | None, str | None]:
    """Size, time of change in ns and entity tag, of what an fsspec ``info`` says."""
    keys = ("mtime", "LastModified", "last_modified", "updated", "created")
    changed = next((details[k] for k in keys if details.get(k) is not None), None)
    if isinstance(changed, datetime):
        changed = changed.timestamp()
    ns = int(changed * 1_000_000) * 1000 if isinstance(changed, int | float) else None
    etag = details.get("ETag") or details.get("etag")
    return int(details.get("size") or 0), ns, str(etag) if etag else None


def _compare(file: InputFile, size: int, mtime_ns: int | None, etag: str | None) -> None:
    if size != file.size:
        what = f"it was listed with {file.size} bytes and has {size}"
    elif None not in (file.mtime_ns, mtime_ns) and mtime_ns != file.mtime_ns:
        what = "it was written to since it was listed"
    elif None not in (file.etag, etag) and etag != file.etag:
        what = "its entity tag is another than when it was listed"
    else:
        return
    raise InputError(f"{redact(file.path)} changed while it was read: {what}; run again on input at rest")


@contextmanager
def _as_input_errors(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{redact(path)} vanished after it was listed: list the input again") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{redact(path)} cannot be read: {reason}") from error
