"""JSON lines of one range as pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.frame.table import Table
from gpucurate.io.encoding import REPLACED, is_utf8, mended
from gpucurate.io.fingerprint import Fingerprint, watched
from gpucurate.io.jsonl.chunks import (
    Broken,
    Chunk,
    Cutter,
    Oversize,
    Part,
    PlainStream,
    Room,
    first_line_start,
    plain_room,
)
from gpucurate.io.jsonl.codecs import DecodedStream
from gpucurate.io.jsonl.fast import parse_fields
from gpucurate.io.jsonl.layout import HEAD_BYTES, foreign_container, foreign_encoding, layout_hint
from gpucurate.io.jsonl.lines import trim_carriage_returns
from gpucurate.io.jsonl.parse import Lines, Parsed
from gpucurate.io.limits import ReadLimits
from gpucurate.io.piece import LinesOriginal, Mask, Piece
from gpucurate.io.source import ByteSource, open_source
from gpucurate.io.urls import redact
from gpucurate.ops.json_lines import find_lines
from gpucurate.spec.errors import InputError
from gpucurate.spec.reject import SNIPPET_BYTES, Reject, RejectReason
from gpucurate.spec.source import FileRange

_BOM = b"\xef\xbb\xbf"
_HINTED = ("bad_json", "not_an_object", "too_large")
_MOST_LINES = 32_768


class _Located(NamedTuple):
    """Lines of a chunk: where in the data, which are blank, where in the file and how long there."""

    starts: Lines
    stops: Lines
    blank: Mask
    places: Lines
    lengths: Lines


class JsonlReader:
    """Reads one range of a JSON lines file; iterate it for the pieces."""

    def __init__(
        self,
        source: FileRange,
        *,
        fields: Sequence[str] | None,
        text_fields: Sequence[str],
        piece_bytes: int,
        keep_original: bool,
        limits: ReadLimits,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        self._range, self._limits = source, limits
        self._fingerprint = fingerprint
        self._fields, self._text_fields = fields, text_fields
        self._piece_bytes, self._keep_original = piece_bytes, keep_original
        self._next_record = 0
        self._hint = ""

    def __iter__(self) -> Iterator[Piece]:
        with open_source(self._range.file) as opened:
            source = watched(opened, self._fingerprint)
            if self._range.file.compression == "none":
                yield from self._read_plain(source)
            else:
                yield from self._read_compressed(source)

    def _read_plain(self, source: ByteSource) -> Iterator[Piece]:
        head = source.read(0, HEAD_BYTES)
        foreign = self._foreign(head)
        if foreign is not None:
            # The file's first range speaks for the whole file.
            yield from [foreign] if self._range.ordinal == 0 else []
            return
        self._hint = layout_hint(head)
        start, stop = first_line_start(source, self._range.start, self._range.stop), self._range.stop
        if start == 0 and head.startswith(_BOM):
            start, stop = len(_BOM), max(stop, len(_BOM) + 1)  # the first line is this range's, however short
        if start is not None:
            yield from self._pieces(self._cutter(PlainStream(source, start), start, stop))

    def _read_compressed(self, source: ByteSource) -> Iterator[Piece]:
        stream = DecodedStream(source, self._range.file.compression)
        head = stream.peek(HEAD_BYTES)
        foreign = self._foreign(head)
        if foreign is not None:
            yield foreign
            return
        self._hint = layout_hint(head)
        skipped = len(_BOM) if head.startswith(_BOM) else 0
        stream.readinto(memoryview(bytearray(skipped)))
        yield from self._pieces(self._cutter(stream, skipped, None))
        if stream.notes:
            yield self._piece(notes=stream.notes)

    def _cutter(self, stream: PlainStream | DecodedStream, offset: int, stop: int | None) -> Cutter:
        most = self._limits.max_record_bytes
        return Cutter(stream, offset, stop, self._piece_bytes, most, room=self._room)

    @property
    def _room(self) -> Room:
        return plain_room

    def _pieces(self, parts: Iterable[Part]) -> Iterator[Piece]:
        for part in parts:
            yield from self._pieces_of(part)

    def _pieces_of(self, part: Part) -> Iterator[Piece]:
        match part:
            case Chunk():
                yield from self._read_chunk(part)
            case Oversize(offset, length, snippet):
                reject = self._too_large(self._next_record, offset, length, snippet)
                yield self._piece(num_records=1, rejects=[reject])
            case Broken(offset, detail):
                yield self._corrupt("corrupt_file", offset, detail)

    def _read_chunk(self, chunk: Chunk) -> Iterator[Piece]:
        """Its lines, so many at a time: they may all be rejects, which are larger than short lines."""
        data, notes = chunk.data, list[str]()
        starts, stops, blank = find_lines(data)
        places, lengths = chunk.offset + starts, stops - starts
        if self._replaces(data):
            data, notes = mended(data), [REPLACED]
            starts, stops, blank = find_lines(data)
        for at in range(0, len(starts), _MOST_LINES):
            some = slice(at, at + _MOST_LINES)
            lines = _Located(starts[some], stops[some], blank[some], places[some], lengths[some])
            yield self._read_lines(data, lines, notes if at == 0 else [])

    def _replaces(self, data: npt.NDArray[np.uint8]) -> bool:
        """Whether some of the bytes are to be replaced."""
        return self._limits.encoding_errors == "replace" and not is_utf8(data)

    def _read_lines(self, data: npt.NDArray[np.uint8], located: _Located, notes: list[str]) -> Piece:
        starts, raw_stops, blank, places, lengths = located
        large = lengths > self._limits.max_record_bytes
        blank &= ~large
        lines = np.flatnonzero(~(blank | large))
        begins, ends = starts[lines], trim_carriage_returns(data, starts[lines], raw_stops[lines])
        parsed = self._parse(data, begins, ends)
        rejects = [
            self._too_large(
                self._next_record + int(i),
                int(places[i]),
                int(lengths[i]),
                data[starts[i] : starts[i] + SNIPPET_BYTES].tobytes(),
            )
            for i in np.flatnonzero(large)
        ]
        for i, error in parsed.errors:
            snippet = data[begins[i] : min(ends[i], begins[i] + SNIPPET_BYTES)].tobytes()
            rejects.append(
                self._reject(
                    error.reason,
                    self._next_record + int(lines[i]),
                    int(places[lines[i]]),
                    error.detail,
                    snippet,
                )
            )
        rejects.sort(key=lambda r: r.line or 0)
        kept = parsed.accepted
        original = LinesOriginal(data, begins[kept], ends[kept]) if self._keep_original else None
        return self._piece(
            num_records=len(starts),
            num_blank=int(blank.sum()),
            table=parsed.table,
            records=self._next_record + lines[kept],
            rejects=rejects,
            original=original,
            notes=notes,
        )

    def _parse(
        self, data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
    ) -> Parsed:
        if self._fields is not None and not self._fields and not self._text_fields:
            return Parsed(pa.table({}), np.ones(len(starts), np.bool_), [])
        return parse_fields(
            data,
            starts,
            stops,
            fields=self._fields,
            text_fields=self._text_fields,
            max_depth=self._limits.max_depth,
        )

    def _piece(
        self,
        *,
        num_records: int = 0,
        num_blank: int = 0,
        table: Table | None = None,
        records: npt.NDArray[np.int64] | None = None,
        rejects: list[Reject] | None = None,
        original: LinesOriginal | None = None,
        notes: list[str] | None = None,
    ) -> Piece:
        if table is None:
            table = self._parse(np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64)).table
        if original is None and self._keep_original:
            original = LinesOriginal(np.empty(0, np.uint8), np.empty(0, np.int64), np.empty(0, np.int64))
        first = self._next_record
        self._next_record += num_records
        none = np.empty(0, np.int64)
        return Piece(
            source=self._range,
            first_record=first,
            num_records=num_records,
            num_blank=num_blank,
            table=table,
            records=none if records is None else records,
            rejects=rejects or [],
            original=original,
            notes=notes or [],
        )

    def _reject(self, reason: RejectReason, line: int, offset: int, detail: str, snippet: bytes) -> Reject:
        hint = self._hint if reason in _HINTED else ""
        return Reject(reason, line, offset, detail + hint, snippet)

    def _too_large(self, line: int, offset: int, length: int, snippet: bytes) -> Reject:
        detail = f"the line has {length} bytes, more than the {self._limits.max_record_bytes} allowed"
        return self._reject("too_large", line, offset, detail, snippet[: min(SNIPPET_BYTES, length)])

    def _foreign(self, head: bytes) -> Piece | None:
        """A piece with one reject if the file is no UTF-8 text at all."""
        encoding = foreign_encoding(head)
        if encoding is not None:
            return self._corrupt("encoding", 0, f"the file is {encoding}: convert it to UTF-8", head)
        container = foreign_container(head)
        if container is not None:
            detail = f"the file holds {container}, though its name says JSON lines: name it by what it is"
            return self._corrupt("corrupt_file", 0, detail, head)
        return None

    def _corrupt(self, reason: RejectReason, offset: int, detail: str, head: bytes = b"") -> Piece:
        if self._limits.on_corrupt == "fail":
            raise InputError(f"{redact(self._range.file.path)} is broken at byte {offset}: {detail}")
        return self._piece(rejects=[Reject(reason, None, offset, detail, head[:SNIPPET_BYTES])])
