"""JSON lines of one range as pieces on a device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gpucurate.frame.transfers import depart, download
from gpucurate.io.host_work import LeaveToHost
from gpucurate.io.jsonl.chunks import Chunk
from gpucurate.io.jsonl.device_lines import DeviceLines, read_lines
from gpucurate.io.jsonl.reader import JsonlReader
from gpucurate.io.piece import LinesOriginal, Piece
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.memory.out_of_memory import device_is_lost, forget, is_out_of_memory
from gpucurate.spec.reject import SNIPPET_BYTES, Reject


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

    def _read_chunk(self, chunk: Chunk) -> Iterator[Piece]:
        waiting = [chunk]
        while waiting:
            part = waiting.pop()
            try:
                piece = self._read_part(part)
            except LeaveToHost as cause:
                depart(str(cause), int(np.count_nonzero(part.data == 10)))
                yield from super()._read_chunk(part)
                continue
            except Exception as error:
                halves = _halves(part)
                if device_is_lost(error) or not is_out_of_memory(error) or halves is None:
                    raise
                forget(error)
                self._memory.release()
                waiting += reversed(halves)
                continue
            yield piece
            del piece

    def _read_part(self, chunk: Chunk) -> Piece:
        self._memory.admits(0)
        found = read_lines(
            chunk.data,
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
