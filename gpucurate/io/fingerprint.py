"""A fingerprint of the bytes that a range was read of, taken while they are in the cache of the processor.

Of JSON lines it covers the bytes of the range, compressed ones as they stand in the file, as far as they
were read: of a file that is not what its name says only the beginning is. Of Parquet it covers the footer,
which has the schema and of each column its places, sizes and statistics: pages are read in no order, and some
never.

The hash is XXH3 with 128 bits (Collet, xxhash.com): it tells damage and edits from what was read, and is no
defence against somebody who makes files collide.
"""

from __future__ import annotations

import xxhash

from gpucurate.io.source import ByteSource, LocalSource
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import BytesTaken

STEP = 256 * 1024
"""Bytes that are read and hashed at a time: they fit the second cache of a core."""

_PARQUET_END = 8  # length of the footer, and the magic number


class Fingerprint:
    """Takes bytes of a range in order, and passes over those that it has taken.

    Args:
        source: the range; of a compressed file all of it.
    """

    def __init__(self, source: FileRange) -> None:
        self.start, self.stop = source.start, source.stop
        self.position = source.start
        self._hash = xxhash.xxh3_128()

    def awaits(self, offset: int, count: int) -> bool:
        """Whether the next byte is among ``count`` from ``offset`` on."""
        return self.position < self.stop and offset <= self.position < offset + count

    def take(self, data: memoryview, offset: int) -> None:
        """Take what is new of the bytes that stand at ``offset`` of the file."""
        if self.awaits(offset, len(data)):
            new = data[self.position - offset : self.stop - offset]
            self._hash.update(new)
            self.position += len(new)

    def take_footer(self, source: ByteSource) -> None:
        """Take the footer of a Parquet file in place of a range; all of what is too short for one."""
        size = source.file.size
        end = source.read(size - _PARQUET_END, _PARQUET_END) if size >= _PARQUET_END else b""
        length = int.from_bytes(end[:4], "little") + _PARQUET_END if end else size
        self.start = self.position = max(0, size - length)
        self.stop = size
        self.take(memoryview(source.read(self.start, size - self.start)), self.start)

    def taken(self) -> BytesTaken:
        """What was taken so far."""
        return BytesTaken(self.start, self.position - self.start, self._hash.hexdigest())


class FingerprintedSource(ByteSource):
    """Another source, of whose bytes a fingerprint is taken.

    Args:
        source: what is read; whoever opened it closes it.
        fingerprint: is given what is read.
    """

    def __init__(self, source: ByteSource, fingerprint: Fingerprint) -> None:
        super().__init__(source.file)
        self._source = source
        self._fingerprint = fingerprint
        self._is_local = isinstance(source, LocalSource)

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill ``view`` from ``offset``; in steps, so that what is hashed need not come from memory again."""
        if not self._fingerprint.awaits(offset, len(view)):
            return self._source.read_into(view, offset)
        step = STEP if self._is_local else len(view)  # in a store each read is a request
        done = 0
        while done < len(view):
            part = view[done : done + step]
            count = self._source.read_into(part, offset + done)
            self._fingerprint.take(part[:count], offset + done)
            done += count
            if count < len(part):
                break
        return done

    def check_unchanged(self) -> None:
        """Compare with the listing."""
        self._source.check_unchanged()

    def close(self) -> None:
        """Left to whoever opened the source."""


def watched(source: ByteSource, fingerprint: Fingerprint | None) -> ByteSource:
    """The source, with its bytes taken if that is wanted."""
    return source if fingerprint is None else FingerprintedSource(source, fingerprint)


def hash_bytes(source: ByteSource, taken: BytesTaken) -> str:
    """The hash of the bytes that a fingerprint covers, as they are now.

    Raises:
        InputError: they cannot be read.
    """
    digest, buffer = xxhash.xxh3_128(), bytearray(STEP)
    done = 0
    while done < taken.count:
        count = source.read_into(memoryview(buffer)[: taken.count - done], taken.start + done)
        if count == 0:
            break
        digest.update(memoryview(buffer)[:count])
        done += count
    return digest.hexdigest()
