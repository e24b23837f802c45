"""Outputs in S3: an attempt is an upload in parts that is not completed, and completing it is the rename.

The way is that of Hadoop's "magic" committer for S3A (Loughran, Blue, 2017-2019). What was uploaded and
not completed nobody sees; whoever takes a run folder over ends all uploads beneath it, so that an earlier
owner, should it still live, has nothing left to complete.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from gpucurate.checkpoint.at_once import at_once
from gpucurate.checkpoint.object_store import PART_BYTES, ObjectStore
from gpucurate.checkpoint.pending import Pending
from gpucurate.checkpoint.store import LocalStore
from gpucurate.disk.crash import reach
from gpucurate.io.s3 import ConditionError, S3Bucket
from gpucurate.io.urls import open_filesystem
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors
from gpucurate.spec.unit import OutputFile

MOST_PARTS = 10_000
"""Parts that S3 takes of one upload."""

PARTS_IN_FLIGHT = 8
"""Parts that a process holds in memory and sends at a time."""

_room = threading.BoundedSemaphore(PARTS_IN_FLIGHT)


class S3Store(ObjectStore):
    """A prefix of a bucket."""

    def __init__(self, url: str, mirror: LocalStore | None = None) -> None:
        super().__init__(url, mirror)
        filesystem, path = open_filesystem(url)
        bucket, _, prefix = path.partition("/")
        self._bucket = S3Bucket(filesystem, bucket)
        self._prefix = f"{prefix}/" if prefix else ""

    def listing(self, prefix: str = "") -> Iterator[tuple[str, int, str | None]]:
        """The objects, a thousand a request."""
        for found in self._bucket.list(self._prefix + prefix):
            yield found.key[len(self._prefix) :], found.size, found.etag

    def read(self, name: str, start: int, stop: int) -> bytes:
        """A ranged request."""
        if start == stop:
            return b""
        with self._errors(name, "read"):
            return self._bucket.get(self._key(name), start, stop, None, was_listed=True)

    def age(self, name: str) -> float | None:
        """Seconds since an object was written, by the store's clock."""
        with self._errors(name, "look at"):
            try:
                return self._bucket.age(self._key(name))
            except FileNotFoundError:
                return None

    def _replace(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Put with ``If-Match``."""
        return self._bucket.put(self._key(name), content, etag=tag)

    def upload(self, output: OutputFile) -> OutputFile:
        """Send the parts of an upload, and leave it so."""
        path = Path(output.attempt)
        if not output.bytes:
            return Pending(output.attempt).entered(output)
        key, writer = self._key(output.name), uuid.uuid4().hex
        with self._errors(output.name):
            upload = self._bucket.begin_upload(key, writer)
            try:
                parts = self._send(path, output.bytes, key, upload)
            except BaseException:
                self._bucket.abort(key, upload)
                raise
        return Pending(output.attempt, upload, tuple(parts), writer).entered(output)

    def _send(self, path: Path, size: int, key: str, upload: str) -> list[str]:
        """Entity tags of the parts, of which a few are on their way at a time."""
        each = max(PART_BYTES, -(-size // MOST_PARTS))
        sent: list[Future[str]] = []
        threads = min(PARTS_IN_FLIGHT, -(-size // each))
        with storage_errors(path, "read"):
            file = path.open("rb")
        with file, ThreadPoolExecutor(threads) as pool:
            under_way: list[Future[str]] = []
            for number in range(1, -(-size // each) + 1):
                with_room = _room.acquire()
                assert with_room
                try:
                    under_way = [part for part in under_way if not _has_arrived(part)]
                    reach("upload.before_part")
                    with storage_errors(path, "read"):
                        body = file.read(each)
                    sent.append(pool.submit(self._bucket.put_part, key, upload, number, body))
                except BaseException:
                    _room.release()
                    raise
                sent[-1].add_done_callback(_leave)
                under_way.append(sent[-1])
        reach("upload.after_parts")
        return [part.result() for part in sent]

    def abandon(self, output: OutputFile) -> None:
        """End the upload."""
        pending = Pending.of(output)
        if pending is not None and pending.upload:
            with self._errors(output.name, "end the upload of"):
                self._bucket.abort(self._key(output.name), pending.upload)

    def end_uploads(self) -> None:
        """End every upload beneath the prefix."""
        with self._errors("", "end uploads to"):
            at_once(lambda found: self._bucket.abort(*found), list(self._bucket.uploads(self._prefix)))

    def _put(self, name: str, content: bytes) -> None:
        self._bucket.put(self._key(name), content)

    def _create(self, name: str, content: bytes) -> bool:
        try:
            self._bucket.put(self._key(name), content, is_new=True)
        except ConditionError:
            return False
        return True

    def _reveal(self, name: str, pending: Pending) -> None:
        if not pending.upload:
            self._bucket.put(self._key(name), b"")
            return
        try:
            self._bucket.complete(self._key(name), pending.upload, pending.parts, pending.writer)
        except FileNotFoundError as error:
            raise StorageError(
                f"the upload of {self.shown}/{name} was ended by somebody else: another run has taken this "
                "output over, or a rule of the bucket ends uploads after a time"
            ) from error

    def _delete(self, name: str) -> None:
        self._bucket.delete(self._key(name))

    def _key(self, name: str) -> str:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise StorageError(
                f"{name!r} cannot be the name of an object: it is not UTF-8; rename the input file"
            ) from error
        return self._prefix + name


def _has_arrived(part: Future[str]) -> bool:
    """Whether a part is there; raises what it failed with, so that no more are sent."""
    return part.done() and bool(part.result())


def _leave(_: object) -> None:
    _room.release()
