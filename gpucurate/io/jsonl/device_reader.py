"""JSON lines of one range as pieces on a device."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gpucurate.frame.transfers import Upload, begin_upload, depart, download, upload
from gpucurate.io.ahead import ahead
from gpucurate.io.host_work import LeaveToHost
from gpucurate.io.jsonl.chunks import Chunk, Part, Room
from gpucurate.io.jsonl.device_lines import DeviceLines, read_lines
from gpucurate.io.jsonl.reader import JsonlReader
from gpucurate.io.piece import LinesOriginal, Piece
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.memory.out_of_memory import device_is_lost, forget, is_out_of_memory
from gpucurate.memory.pinned_room import PinnedRoom
from gpucurate.spec.reject import SNIPPET_BYTES, Reject

CARRIED = 1 << 20
"""Beside a piece a buffer takes what the chunk before left of its last line, and the end of the last line."""


class _Sent(NamedTuple):
    """A chunk, and the copy of it that is on its way to the device, if it is."""

    chunk: Chunk
    upload: Upload | None


class DeviceJsonlReader(JsonlReader):
    """As :class:`JsonlReader`, with the same rows and rejects, in tables of the device.

    Bytes go to the device as they are read; what comes back is which lines are unusual, and
    where the lines are, if originals are asked for.

    Args:
        memory: of the GPU: a chunk that does not fit is read in halves.
        given: the arguments of :class:`JsonlReader`; ``fields`` of 1 to 16.
    """

    def __init__(self, *given: Any, memory: GpuMemory, **named: Any) -> None:
        super().__init__(*given, **named)
        self._memory = memory

    @property
    def _room(self) -> Room:
        # What is kept as original holds on to its buffer for as long as the batch lives.
        return super()._room if self._keep_original else self._memory.room(self._piece_bytes + CARRIED)

    def _pieces(self, parts: Iterable[Part]) -> Iterator[Piece]:
        """Each chunk's bytes are read and sent while the one before it is worked on."""
        sent: deque[_Sent] = deque()
        try:
            for part in ahead(parts):
                waiting = len(sent)
                if isinstance(part, Chunk):
                    sent.append(self._send(part))
                if waiting:
                    yield from self._take(sent.popleft())
                if not isinstance(part, Chunk):
                    yield from self._pieces_of(part)
                del part
            while sent:
                yield from self._take(sent.popleft())
        finally:
            # Their memory is freed in the order of the stream that works, which does not know of the copies.
            for each in sent:
                if each.upload is not None:
                    each.upload.cancel()

    def _send(self, chunk: Chunk) -> _Sent:
        """Begin to send a chunk, if there is room for another."""
        if not self._memory.admits(1):
            return _Sent(chunk, None)
        try:
            return _Sent(chunk, begin_upload(chunk.data, partial(self._free_after, chunk.data)))
        except Exception as error:
            self._answer(error)
            return _Sent(chunk, None)

    def _free_after(self, data: npt.NDArray[np.uint8], event: Any) -> None:
        room = self._room
        if isinstance(room, PinnedRoom):
            room.free_after(data, event)

    def _answer(self, error: Exception) -> None:
        """Give memory back where there was too little; anything else is raised again."""
        if device_is_lost(error) or not is_out_of_memory(error):
            raise error
        forget(error)
        self._memory.release()

    def _take(self, sent: _Sent) -> Iterator[Piece]:
        """The pieces of a chunk: one, or those of its halves where memory runs out."""
        waiting = [sent]
        del sent  # so that its bytes go before its pieces are worked on
        while waiting:
            part = waiting.pop()
            chunk, why = part.chunk, ""
            try:
                piece = self._read_part(part)
            except LeaveToHost as cause:
                why = str(cause)  # the exception goes, and with it what was on the device
            except Exception as error:
                del part
                halves = _halves(chunk)
                if halves is None:
                    raise
                self._answer(error)
                waiting += [_Sent(half, None) for half in reversed(halves)]
                continue
            del part
            if why:
                depart(why, int(np.count_nonzero(chunk.data == 10)))
                yield from self._read_chunk(chunk)
                continue
            del chunk
            yield piece
            del piece

    def _read_part(self, sent: _Sent) -> Piece:
        chunk = sent.chunk
        if self._replaces(chunk.data):
            raise LeaveToHost("lines with bytes that are replaced, being no UTF-8")
        on_device = upload(chunk.data) if sent.upload is None else sent.upload.array()
        found = read_lines(
            chunk.data,
            on_device,
            fields=self._fields or (),
            text_fields=self._text_fields,
            max_depth=self._limits.max_depth,
            max_record_bytes=self._limits.max_record_bytes,
        )
        accepted = np.arange(found.lines) if found.accepted is None else found.accepted
        original = None
        if self._keep_original:
            original = LinesOriginal(chunk.data, download(found.starts), download(found.stops))
        return self._piece(
            num_records=found.lines,
            num_blank=found.blank,
            table=found.table,
            records=self._next_record + accepted,
            rejects=self._rejects(chunk, found),
            original=original,
        )

    def _rejects(self, chunk: Chunk, found: DeviceLines) -> list[Reject]:
        first, data, made = self._next_record, chunk.data, []
        for line, start, stop in found.too_large:
            snippet = data[start : start + SNIPPET_BYTES].tobytes()
            made.append(self._too_large(first + line, chunk.offset + start, stop - start, snippet))
        for line, start, stop, error in found.errors:
            snippet = data[start : min(stop, start + SNIPPET_BYTES)].tobytes()
            made.append(self._reject(error.reason, first + line, chunk.offset + start, error.detail, snippet))
        return sorted(made, key=lambda reject: reject.line or 0)


def _halves(chunk: Chunk) -> tuple[Chunk, Chunk] | None:
    """A chunk in two, cut behind the line that its middle is in; None for one line."""
    data, middle = chunk.data, len(chunk.data) // 2
    behind = data[middle : len(data) - 1]
    newlines = np.flatnonzero(behind == 10)
    if not len(newlines):
        newlines, middle = np.flatnonzero(data[:middle] == 10)[-1:], 0
    if not len(newlines):
        return None
    cut = middle + int(newlines[0]) + 1
    return Chunk(data[:cut], chunk.offset), Chunk(data[cut:], chunk.offset + cut)
