"""Positioned reads of one file, local or in a store, that notice when it changes."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import numpy as np

from gpucurate.io.retrying import retried, sentence_of
from gpucurate.io.s3 import ConditionError, S3Bucket
from gpucurate.io.urls import is_url, open_filesystem, redact
from gpucurate.spec.errors import InputChangedError, InputError
from gpucurate.spec.source import InputFile

_LARGEST_READ = 1 << 30

RANGE_BYTES = 8 << 20
"""A range of a store is asked for by requests of at most so many bytes."""

RANGES_AT_A_TIME = 8
"""Requests of one read that are under way at a time."""


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
    """A file behind fsspec, read by ranges: large ones as several requests at a time."""

    def __init__(self, file: InputFile) -> None:
        super().__init__(file)
        self._filesystem, self._path = open_filesystem(file.path)
        self.check_unchanged()

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset`` by ranged requests."""
        stop = min(offset + len(view), self.file.size)
        if stop <= offset:
            return 0
        starts = range(offset, stop, RANGE_BYTES)

        def fetch(start: int) -> None:
            end = min(start + RANGE_BYTES, stop)
            view[start - offset : end - offset] = self._fetch(start, end)

        with _as_input_errors(self.file.path):
            if len(starts) == 1:
                fetch(offset)
            else:
                with ThreadPoolExecutor(min(RANGES_AT_A_TIME, len(starts)), "range") as pool:
                    list(pool.map(fetch, starts))
        return stop - offset

    def _fetch(self, start: int, stop: int) -> bytes:
        """One range, tried again when an error passes."""

        def fetch() -> bytes:
            block: bytes = self._filesystem.cat_file(self._path, start=start, end=stop)
            if len(block) != stop - start:
                raise ConnectionError(f"{len(block)} of {stop - start} bytes came")
            return block

        return retried(fetch, was_listed=True)

    def check_unchanged(self) -> None:
        """Ask the store again."""

        def ask() -> dict[str, Any]:
            self._filesystem.invalidate_cache(self._path)
            details: dict[str, Any] = self._filesystem.info(self._path)
            return details

        with _as_input_errors(self.file.path):
            details = retried(ask, was_listed=True)
        _compare(self.file, *facts_of(details))

    def close(self) -> None:
        """Nothing is held open between reads."""


class S3Source(StoreSource):
    """An object of S3: each range is asked for on the condition that the object is the listed one."""

    def __init__(self, file: InputFile) -> None:
        self._is_open = False
        super().__init__(file)
        bucket, _, self._key = self._path.partition("/")
        self._bucket = S3Bucket(self._filesystem, bucket)
        self._is_open = True

    def _fetch(self, start: int, stop: int) -> bytes:
        try:
            return self._bucket.get(self._key, start, stop, self.file.etag, was_listed=True)
        except ConditionError as error:
            raise _changed(self.file, "its entity tag is another than when it was listed") from error

    def check_unchanged(self) -> None:
        """Ask the store when it is opened; after that every request has asked by itself."""
        if not self._is_open or self.file.etag is None:
            super().check_unchanged()


def open_source(file: InputFile) -> ByteSource:
    """Open a listed file.

    Raises:
        InputError: missing, not readable, or not what was listed.
        ConfigurationError: a URL that is not allowed, or without its driver.
    """
    if not is_url(file.path):
        return LocalSource(file)
    return S3Source(file) if file.path.lower().startswith("s3://") else StoreSource(file)


def facts_of(details: dict[str, Any]) -> tuple[int, int | None, str | None]:
    """Size, time of change in ns and entity tag, of what an fsspec ``info`` says."""
    keys = ("mtime", "LastModified", "last_modified", "updated", "created")
    changed = next((details[k] for k in keys if details.get(k) is not None), None)
    if isinstance(changed, datetime):
        changed = changed.timestamp()
    ns = int(changed * 1_000_000) * 1000 if isinstance(changed, int | float) else None
    etag = details.get("ETag") or details.get("etag") or details.get("blob_id")  # the last: of hf://
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
    raise _changed(file, what)


def _changed(file: InputFile, what: str) -> InputChangedError:
    return InputChangedError(
        f"{redact(file.path)} changed while it was read: {what}; run again on input at rest", what
    )


@contextmanager
def _as_input_errors(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{redact(path)} vanished after it was listed: list the input again") from error
    except OSError as error:
        raise InputError(f"{redact(path)} cannot be read: {redact(sentence_of(error))}") from error
