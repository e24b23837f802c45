"""Cutting a stream of bytes into chunks of whole lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from gpucurate.io.source import ByteSource

_EXTENSION = 256 * 1024
_SNIPPET = 200


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines: ``data`` (uint8) begins at byte ``offset`` of the (decompressed) file."""

    data: npt.NDArray[np.uint8]
    offset: int


@dataclass(frozen=True, slots=True)
class Oversize:
    """One line of ``length`` bytes, too long to be held."""

    offset: int
    length: int
    snippet: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """The stream cannot be read beyond ``offset``."""

    offset: int
    detail: str


Part: TypeAlias = Chunk | Oversize | Broken


Room: TypeAlias = Callable[[int], npt.NDArray[np.uint8]]


def plain_room(nbytes: int) -> npt.NDArray[np.uint8]:
    """A buffer of so many bytes."""
    return np.empty(nbytes, np.uint8)


class ByteStream(Protocol):
    """Bytes in order. ``failure`` says why the stream ended early, if it did."""

    failure: str | None

    def readinto(self, view: memoryview) -> int:
        """Fill ``view``; fewer bytes only at the end."""
        ...


class PlainStream:
    """The bytes of a file from ``offset``."""

    def __init__(self, source: ByteSource, offset: int) -> None:
        self.failure: str | None = None
        self._source, self._offset = source, offset

    def readinto(self, view: memoryview) -> int:
        """Fill ``view``; fewer bytes only at the end of the file."""
        count = self._source.read_into(view, self._offset)
        self._offset += count
        return count


def first_line_start(source: ByteSource, start: int, stop: int) -> int | None:
    """Offset of the first line that begins in ``[start, stop)``, or None."""
    if start == 0:
        return 0
    at = start - 1  # a newline just before the range makes its first byte the start of a line
    buffer = bytearray(_EXTENSION)
    while at < stop:
        count = source.read_into(memoryview(buffer)[: stop - at], at)
        if count == 0:
            return None
        found = buffer.find(b"\n", 0, count)
        if found >= 0:
            return at + found + 1 if at + found + 1 < stop else None
        at += count
    return None


class Cutter:
    """Cuts a stream into chunks of at most ``piece_bytes``, at line ends.

    The last chunk of a range also takes the rest of the line that crosses the range's end, and
    a line longer than ``piece_bytes`` is a chunk by itself. Boundaries depend on the bytes
    and the arguments alone.

    Args:
        stream: bytes from ``offset`` on, where a line begins.
        offset: position of the first byte in the (decompressed) file.
        stop: lines that begin here or later are left to others; None: read to the end.
        piece_bytes: size of a chunk.
        max_record_bytes: a longer line is skipped and reported as :class:`Oversize`; memory
            stays within piece_bytes + max_record_bytes.
        room: makes the buffers of chunks, uint8 of a length; plain memory by default.
    """

    def __init__(
        self,
        stream: ByteStream,
        offset: int,
        stop: int | None,
        piece_bytes: int,
        max_record_bytes: int,
        *,
        room: Room = plain_room,
    ) -> None:
        self._room = room
        self._stream, self._offset, self._stop = stream, offset, stop
        self._piece, self._max_record = max(1, piece_bytes), max_record_bytes
        self._step = min(_EXTENSION, self._piece)
        self._buffer = np.empty(0, np.uint8)
        self._used = 0
        self._at_end = False

    def __iter__(self) -> Iterator[Part]:
        while self._stop is None or self._offset < self._stop:
            remaining = None if self._stop is None else self._stop - self._offset
            is_last = remaining is not None and remaining <= self._piece
            target = remaining if is_last and remaining is not None else self._piece
            self._fill(target)
            if self._used == 0:
                break
            end = self._end_of_last_line(target, is_last)
            if end is None:
                yield from self._extend(is_last)
            else:
                yield from self._emit(end)
            if self._at_end and self._used == 0:
                break
        if self._stream.failure is not None:
            yield Broken(self._offset, self._stream.failure)

    def _fill(self, target: int) -> None:
        """A fresh buffer that holds the carried bytes and is filled up to ``target``."""
        fresh = self._room(max(target, self._used))
        fresh[: self._used] = self._buffer[: self._used]
        self._buffer = fresh
        if self._used < target and not self._at_end:
            self._read(target - self._used)

    def _read(self, count: int) -> int:
        if self._used + count > len(self._buffer):
            grown = np.empty(max(self._used + count, 2 * len(self._buffer)), np.uint8)
            grown[: self._used] = self._buffer[: self._used]
            self._buffer = grown
        got = self._stream.readinto(self._buffer[self._used : self._used + count].data)
        self._used += got
        self._at_end = got < count
        return got

    def _end_of_last_line(self, target: int, is_last: bool) -> int | None:
        """Where to cut the buffer, or None if the line to cut behind is not complete."""
        if is_last:
            crossing = _find_newline(self._buffer[target - 1 : self._used]) if self._used >= target else -1
            if crossing >= 0:
                return target + crossing
        else:
            newline = _rfind_newline(self._buffer[: self._used])
            if newline >= 0 and not self._at_end:
                return newline + 1
        return self._end_of_stream() if self._at_end else None

    def _end_of_stream(self) -> int:
        """All of the buffer; without the unfinished line if the stream broke in it."""
        if self._stream.failure is None:
            return self._used
        return _rfind_newline(self._buffer[: self._used]) + 1

    def _emit(self, end: int) -> Iterator[Part]:
        """The first ``end`` bytes as a chunk; the rest is carried over."""
        if end > 0:
            yield Chunk(self._buffer[:end], self._offset)
        self._carry(self._buffer[end : self._used])
        self._offset += end
        if self._stream.failure is not None and self._at_end:
            self._used = 0

    def _carry(self, rest: npt.NDArray[np.uint8]) -> None:
        self._buffer, self._used = rest, len(rest)

    def _extend(self, is_last: bool) -> Iterator[Part]:
        """Read on until the unfinished line ends, or is longer than allowed."""
        line = _rfind_newline(self._buffer[: self._used]) + 1
        while True:
            if self._used - line > self._max_record:
                yield from self._emit(line)
                yield from self._skip_line()
                return
            before = self._used
            self._read(self._step)
            newline = _find_newline(self._buffer[before : self._used])
            if newline >= 0:
                yield from self._emit(before + newline + 1)
                return
            if self._at_end:
                yield from self._emit(self._end_of_stream())
                return

    def _skip_line(self) -> Iterator[Part]:
        """Pass over the line that the buffer begins with, without keeping it."""
        snippet = self._buffer[: min(_SNIPPET, self._used)].tobytes()
        length = self._used
        scratch = np.empty(self._step, np.uint8)
        while True:
            got = 0 if self._at_end else self._stream.readinto(scratch.data)
            self._at_end = self._at_end or got < len(scratch)
            newline = _find_newline(scratch[:got])
            if newline >= 0:
                snippet += scratch[: min(newline, _SNIPPET - len(snippet))].tobytes()
                yield Oversize(self._offset, length + newline, snippet)
                self._offset += length + newline + 1
                self._carry(scratch[newline + 1 : got])
                return
            snippet += scratch[: min(got, _SNIPPET - len(snippet))].tobytes()
            length += got
            if self._at_end:
                self._used = 0
                if self._stream.failure is None:
                    yield Oversize(self._offset, length, snippet)
                    self._offset += length
                return


def _find_newline(data: npt.NDArray[np.uint8]) -> int:
    # A memoryview has no find; in blocks, so that a hit near the start costs no whole scan.
    for at in range(0, len(data), _EXTENSION):
        hits = np.flatnonzero(data[at : at + _EXTENSION] == 10)
        if len(hits):
            return at + int(hits[0])
    return -1


def _rfind_newline(data: npt.NDArray[np.uint8]) -> int:
    stop = len(data)
    while stop > 0:
        start = max(0, stop - _EXTENSION)
        hits = np.flatnonzero(data[start:stop] == 10)
        if len(hits):
            return start + int(hits[-1])
        stop = start
    return -1
