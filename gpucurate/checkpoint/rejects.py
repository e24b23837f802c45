"""Rejected rows on disk: one zstd JSONL file for each unit that has any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard

from gpucurate.disk.crash import reach
from gpucurate.disk.files import fsync_folder, make_folder, open_private
from gpucurate.spec.names import encode_name
from gpucurate.spec.reject import SNIPPET_BYTES, Reject
from gpucurate.spec.storage import storage_errors
from gpucurate.tasks.finished import Sync, sync_now


class RejectWriter:
    """Writes rejects as they are found, rows counted from the start of their range.

    The file is made with the first one, and none is held in memory.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._file: IO[bytes] | None = None
        self._stream: Any = None

    def write(self, name: str, ordinal: int, reject: Reject) -> None:
        """Append one.

        Args:
            name: of its file, as in the listing.
            ordinal: of the file range.
            reject: the row.

        Raises:
            StorageError: not possible.
        """
        with storage_errors(self.path):
            if self._file is None:
                self._file = open_private(self.path, "wb")
                reach("rejects.after_open")
                self._stream = _compressing(self._file)
            self._stream.write(orjson.dumps(_entry(name, ordinal, reject)) + b"\n")
        self.rows += 1

    def close(self, sync: Sync = sync_now) -> int:
        """Sync and close; bytes of the file, 0 if there is none.

        Args:
            sync: takes the file over when it is finished.

        Raises:
            StorageError: not possible.
        """
        if self._file is None:
            return 0
        with storage_errors(self.path):
            size = _finish(self._file, self._stream)
        file, self._file = self._file, None
        reach("rejects.before_sync")
        sync(file, self.path)
        return size

    def abandon(self) -> None:
        """Let go of the file, whole or not."""
        if self._file is not None:
            with suppress(OSError):  # a full disk is full still; the error that led here is the one to see
                self._file.close()


def number_rows(part: Path, final: Path, first_rows: Mapping[tuple[str, int], int | None]) -> int:
    """Copy a file of rejects with rows counted from the start of their file.

    Args:
        part: as :class:`RejectWriter` left it.
        final: where to write.
        first_rows: physical records before each (file, range); None where that is not known.

    Returns:
        How many rejects there are.

    Raises:
        StorageError: not possible.
    """
    make_folder(final.parent)
    temporary = part.with_name(f".{part.name}.tmp")  # which goes with scratch, if this is killed
    reach("rejects.before_number")
    rows = _write(temporary, _numbered(part, first_rows))
    reach("rejects.before_rename")
    with storage_errors(final):
        temporary.replace(final)
        reach("rejects.after_rename")
        fsync_folder(final.parent)
    return rows


def _entry(name: str, ordinal: int, reject: Reject) -> dict[str, Any]:
    return {
        "path": encode_name(name),
        "range": ordinal,
        "row": reject.line,
        "offset": reject.offset,
        "reason": reject.reason,
        "detail": reject.detail,
        "snippet": reject.snippet[:SNIPPET_BYTES].decode("utf-8", "backslashreplace"),
    }


def _numbered(part: Path, first_rows: Mapping[tuple[str, int], int | None]) -> Iterator[bytes]:
    for entry in read_rejects(part):
        row, ordinal = entry.pop("row"), entry.pop("range")
        if row is not None:
            before = first_rows[entry["path"], ordinal]
            row = None if before is None else before + row
        line = None if row is None else row + 1
        yield orjson.dumps({"path": entry.pop("path"), "row": row, "line": line, **entry}) + b"\n"


def read_rejects(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a file of rejects.

    Raises:
        StorageError: it cannot be read.
    """
    with storage_errors(path, "read"), path.open("rb") as file:
        yield from reject_lines(file)


def reject_lines(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The entries of an open file of rejects."""
    with zstandard.ZstdDecompressor().stream_reader(file) as stream:
        rest = b""
        while block := stream.read(1 << 20):
            *lines, rest = (rest + block).split(b"\n")
            yield from map(orjson.loads, lines)


def _write(path: Path, lines: Iterable[bytes]) -> int:
    rows = 0
    with storage_errors(path), open_private(path, "wb") as file:
        stream = _compressing(file)
        for line in lines:
            stream.write(line)
            rows += 1
        _finish(file, stream)
        sync_now(file, path)
    return rows


def _compressing(file: IO[bytes]) -> Any:
    return zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(file, closefd=False)


def _finish(file: IO[bytes], stream: Any) -> int:
    stream.close()
    file.flush()
    return file.tell()
