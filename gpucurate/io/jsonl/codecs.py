"""Decompression as a stream: bounded memory, whole prefixes, errors with a place."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import zstandard

from gpucurate.io.source import ByteSource
from gpucurate.spec.bytesize import GIB, MIB

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_INPUT_BLOCK = 64 * 1024
_OUTPUT_BLOCK = MIB
_MAX_WINDOW = 128 * MIB
_MAX_RATIO = 1000
_SNIFFED = 4096


class CorruptStreamError(Exception):
    """The compressed bytes end early or make no sense; the message says where."""


class Compressed:
    """The compressed bytes of a file, by blocks and with a look ahead."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._pending = b""
        self._offset = 0
        self._fetched = 0

    @property
    def position(self) -> int:
        """Offset of the next byte that :meth:`take` gives."""
        return self._offset

    def peek(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end of the file."""
        while len(self._pending) < count:
            block = self._source.read(self._fetched, max(_INPUT_BLOCK, count))
            if not block:
                break
            self._fetched += len(block)
            self._pending += block
        return self._pending[:count]

    def take(self, count: int) -> bytes:
        """As :meth:`peek`, and moves on."""
        taken = self.peek(count)
        self._pending = self._pending[len(taken) :]
        self._offset += len(taken)
        return taken

    def give_back(self, block: bytes) -> None:
        """Undo the last bytes of a :meth:`take`."""
        self._pending = block + self._pending
        self._offset -= len(block)


class DecodedStream:
    """The decompressed bytes of a file; sniffs what it is, whatever its name says.

    Attributes:
        failure: why the stream ended before its end, or None.
        notes: remarks that cost no record.
    """

    def __init__(self, source: ByteSource, named: str) -> None:
        self.failure: str | None = None
        self.notes: list[str] = []
        self._input = Compressed(source)
        self._blocks = self._open(named)
        self._block = memoryview(b"")
        self._given = 0

    def peek(self, count: int) -> bytes:
        """The first ``count`` decompressed bytes, fewer if there are no more; before any read."""
        head = bytearray(self._block)
        while len(head) < count and self._advance():
            head += self._block
        self._block = memoryview(bytes(head))
        return bytes(head[:count])

    def readinto(self, view: memoryview) -> int:
        """Fill ``view``; fewer bytes only at the end, or where the stream is broken."""
        done = 0
        while done < len(view):
            if not self._block and not self._advance():
                break
            count = min(len(self._block), len(view) - done)
            view[done : done + count] = self._block[:count]
            self._block = self._block[count:]
            done += count
        return done

    def _advance(self) -> bool:
        """Fetch the next block; False at the end."""
        try:
            block = next(self._blocks, b"")
            self._given += len(block)
            self._check_ratio()
        except CorruptStreamError as error:
            self.failure, self._blocks, self._block = str(error), iter(()), memoryview(b"")
            return False
        self._block = memoryview(block)
        return len(block) > 0

    def _check_ratio(self) -> None:
        if self._given > GIB and self._given > _MAX_RATIO * self._input.position:
            raise CorruptStreamError(
                f"{self._input.position} compressed bytes swell to more than {_MAX_RATIO} times as much: "
                "taken for a decompression bomb"
            )

    def _open(self, named: str) -> Iterator[bytes]:
        head = self._input.peek(4)
        found = "gzip" if head[:2] == _GZIP_MAGIC else "zstd" if _is_zstd(head) else "none"
        if found == "none" and not _is_text(self._input.peek(_SNIFFED)):
            self.failure = f"the file holds neither {named} nor text: its first bytes are {head.hex(' ')}"
            return iter(())
        if found != named and head:
            self.notes.append(f"named as {named}, but holds {'plain text' if found == 'none' else found}")
        if found == "gzip":
            return self._gzip_blocks()
        return self._zstd_blocks() if found == "zstd" else self._plain_blocks()

    def _plain_blocks(self) -> Iterator[bytes]:
        while block := self._input.take(_INPUT_BLOCK):
            yield block

    def _gzip_blocks(self) -> Iterator[bytes]:
        """Members one after the other (RFC 1952, section 2.2); zeros may pad them."""
        while self._input.peek(2) == _GZIP_MAGIC:
            yield from self._gzip_member()
            while self._input.peek(1) == b"\0":
                block = self._input.take(_INPUT_BLOCK)
                self._input.give_back(block.lstrip(b"\0"))
        self._note_garbage("gzip")

    def _gzip_member(self) -> Iterator[bytes]:
        decoder = zlib.decompressobj(wbits=31)
        while not decoder.eof:
            block = decoder.unconsumed_tail or self._input.take(_INPUT_BLOCK)
            if not block:
                raise CorruptStreamError(
                    f"the gzip ends within its data, at compressed byte {self._input.position}"
                )
            try:
                decoded = decoder.decompress(block, _OUTPUT_BLOCK)
            except zlib.error as error:
                raise CorruptStreamError(
                    f"gzip before compressed byte {self._input.position}: {error}"
                ) from error
            if decoded:
                yield decoded
        self._input.give_back(decoder.unused_data)

    def _zstd_blocks(self) -> Iterator[bytes]:
        """Frames one after the other (RFC 8878, section 3.1); skippable ones are skipped."""
        while _is_zstd(self._input.peek(4)):
            if self._input.peek(4) == _ZSTD_MAGIC:
                yield from self._zstd_frame()
            else:
                header = self._input.take(8)
                self._take_exactly(int.from_bytes(header[4:8], "little"))
        self._note_garbage("zstd")

    def _zstd_frame(self) -> Iterator[bytes]:
        """One frame, fed block by block: a block holds at most 128 KiB, so output is bounded."""
        at = self._input.position
        try:
            parameters = zstandard.get_frame_parameters(self._input.peek(18))
            if parameters.window_size > _MAX_WINDOW:
                raise CorruptStreamError(
                    f"the zstd frame at byte {at} asks for a window of {parameters.window_size >> 20} MiB, "
                    "more than the 128 MiB allowed: compress it again without --long, or with --long=27"
                )
            decoder = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
            start = decoder.decompress(self._take_exactly(zstandard.frame_header_size(self._input.peek(18))))
            if start:
                yield start
            is_last = False
            while not is_last:
                header = self._take_exactly(3)
                field = int.from_bytes(header, "little")
                is_last, kind, size = bool(field & 1), field >> 1 & 3, field >> 3
                body = self._take_exactly(1 if kind == 1 else size)
                trailer = self._take_exactly(4) if is_last and parameters.has_checksum else b""
                decoded = decoder.decompress(header + body)
                if decoded:
                    yield decoded
                if trailer:
                    decoder.decompress(trailer)
        except zstandard.ZstdError as error:
            raise CorruptStreamError(f"zstd frame at compressed byte {at}: {error}") from error

    def _take_exactly(self, count: int) -> bytes:
        taken = self._input.take(count)
        if len(taken) < count:
            raise CorruptStreamError(
                f"the zstd ends within its data, at compressed byte {self._input.position}"
            )
        return taken

    def _note_garbage(self, codec: str) -> None:
        if self._input.peek(1):
            self.notes.append(f"bytes after the end of the {codec} were ignored")


def _is_zstd(head: bytes) -> bool:
    skippable = len(head) == 4 and head[1:] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50
    return head == _ZSTD_MAGIC or skippable


def _is_text(head: bytes) -> bool:
    try:
        head[:-4].decode()  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return b"\0" not in head
