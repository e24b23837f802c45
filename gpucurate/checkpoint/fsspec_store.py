"""Outputs in a store that fsspec knows by files alone: an attempt is an object, copied to its final name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from gpucurate.checkpoint.object_store import ObjectStore
from gpucurate.checkpoint.pending import Pending
from gpucurate.checkpoint.store import FOLDER, LocalStore
from gpucurate.disk.crash import reach
from gpucurate.io.retrying import retried
from gpucurate.io.s3 import ConditionError
from gpucurate.io.source import facts_of
from gpucurate.io.urls import open_filesystem
from gpucurate.spec.unit import OutputFile

ATTEMPTS = f"{FOLDER}/attempts"


class FsspecStore(ObjectStore):
    """A prefix of a store, by what every file system of fsspec can do.

    ``create`` is as good as the driver's ``mode="create"``: those of Google and Azure make it a condition
    of the request.
    """

    def __init__(self, url: str, mirror: LocalStore | None = None) -> None:
        super().__init__(url, mirror)
        self._filesystem, path = open_filesystem(url)
        self._root = path.rstrip("/") + "/"

    def listing(self, prefix: str = "") -> Iterator[tuple[str, int, str | None]]:
        """The objects; as tag, size and time where the store has none."""
        self._filesystem.invalidate_cache()
        folder = (self._root + prefix).rpartition("/")[0]
        found = retried(lambda: self._filesystem.find(folder, detail=True))
        for path, details in found.items():
            name = self._filesystem._strip_protocol(path)[len(self._root) :]
            if name.startswith(prefix):
                size, changed, etag = facts_of(details)
                yield name, size, etag or str(changed)

    def read(self, name: str, start: int, stop: int) -> bytes:
        """A ranged request."""
        with self._errors(name, "read"):
            path = self._root + name
            return bytes(retried(lambda: self._filesystem.cat_file(path, start=start, end=stop)))

    def age(self, name: str) -> float | None:
        """Seconds since an object was written, by this machine's clock."""
        with self._errors(name, "look at"):
            try:
                changed = retried(lambda: self._filesystem.modified(self._root + name))
            except FileNotFoundError:
                return None
        return float((datetime.now(UTC) - changed).total_seconds())

    def _replace(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Look at the tag, and put: between the two another one may write."""
        if tag is not None and self._tag(name) != tag:
            raise ConditionError(f"{name} was written by another one")
        self._put(name, content)
        return self._tag(name)

    def upload(self, output: OutputFile) -> OutputFile:
        """Put the attempt beneath ``_gpucurate/attempts/``."""
        path = Path(output.attempt)
        attempt = f"{ATTEMPTS}/{path.parent.name}/{path.name}"
        with self._errors(attempt):
            reach("upload.before_part")
            retried(lambda: self._filesystem.put_file(output.attempt, self._root + attempt))
            reach("upload.after_parts")
        return Pending(output.attempt, attempt).entered(output)

    def abandon(self, output: OutputFile) -> None:
        """Delete the attempt."""
        pending = Pending.of(output)
        if pending is not None:
            with self._errors(pending.upload, "remove"):
                self._delete(pending.upload)

    def end_uploads(self) -> None:
        """Delete all attempts."""
        for name, _ in list(self.entries(f"{ATTEMPTS}/")):
            self.remove(name)

    def _put(self, name: str, content: bytes) -> None:
        retried(lambda: self._filesystem.pipe_file(self._root + name, content))

    def _create(self, name: str, content: bytes) -> bool:
        try:
            retried(lambda: self._filesystem.pipe_file(self._root + name, content, mode="create"))
        except FileExistsError:
            return False
        return True

    def _reveal(self, name: str, pending: Pending) -> None:
        retried(lambda: self._filesystem.cp_file(self._root + pending.upload, self._root + name))
        self._delete(pending.upload)

    def _delete(self, name: str) -> None:
        with suppress(FileNotFoundError):
            retried(lambda: self._filesystem.rm_file(self._root + name))
