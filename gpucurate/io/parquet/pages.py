"""Checksums of the pages of a column, where its writer made any, checked over the bytes in the file.

libcudf does not look at them. A page header is a struct of Thrift's compact protocol (parquet.thrift,
``PageHeader``); its ``crc`` is the CRC-32 of what follows it, as compressed.
"""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

from gpucurate.io.parquet.thrift import I16, I64, read_number, skip
from gpucurate.io.source import ByteSource

_HEAD = 1 << 16
_UNCOMPRESSED_SIZE, _COMPRESSED_SIZE, _CRC = 2, 3, 4  # fields of PageHeader


class PageHeader(NamedTuple):
    """What of a page header is needed: where it ends, the bytes that follow, their checksum, if any, and
    how many they are decompressed."""

    end: int
    nbytes: int
    crc: int | None
    decoded: int


def checksums_hold(source: ByteSource, begin: int, nbytes: int) -> bool:
    """Whether each page of a column chunk has the checksum that its header tells, if any does.

    The first page speaks for all: where it has none, no other byte of the chunk is read.

    Args:
        source: the file.
        begin: of the chunk's first page.
        nbytes: of all its pages with their headers.
    """
    try:
        head = read_page_header(source.read(begin, min(nbytes, _HEAD)), 0)
        return head.crc is None or _all_hold(source.read(begin, nbytes))
    except (IndexError, ValueError, RecursionError):  # no header: whoever decodes the page says so
        return False


def page_bytes(source: ByteSource, begin: int) -> int:
    """Bytes of the page at ``begin`` when it is decompressed, as its header tells; 0 if it has none."""
    try:
        return read_page_header(source.read(begin, _HEAD), 0).decoded
    except (IndexError, ValueError, RecursionError):  # whoever decodes the page says so
        return 0


def read_page_header(data: bytes, at: int) -> PageHeader:
    """The header that begins at ``at``.

    Raises:
        IndexError: it goes beyond the data.
        ValueError: it is none.
        RecursionError: nor is this.
    """
    found: dict[int, int] = {}
    field = 0
    while (lead := data[at]) != 0:
        at, kind = at + 1, lead & 15
        field, at = (field + (lead >> 4), at) if lead >> 4 else read_number(data, at)
        if I16 <= kind <= I64:
            found[field], at = read_number(data, at)
        else:
            at = skip(data, at, kind)
    nbytes = found.get(_COMPRESSED_SIZE, -1)
    if nbytes < 0:
        raise ValueError("a page header without a size")
    crc = None if _CRC not in found else found[_CRC] & 0xFFFFFFFF
    return PageHeader(at + 1, nbytes, crc, found.get(_UNCOMPRESSED_SIZE, 0))


def _all_hold(data: bytes) -> bool:
    at, view = 0, memoryview(data)
    while at < len(data):
        page = read_page_header(data, at)
        at = page.end + page.nbytes
        if at > len(data) or page.crc not in (None, crc32(view[page.end : at])):
            return False
    return True
