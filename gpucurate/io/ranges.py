"""Files cut into ranges, and ranges put together as units of work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpucurate.io.source import open_source
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import FileRange, InputFile

if TYPE_CHECKING:
    from gpucurate.io.listing import Listing

_COMPRESSED_SWELLING = 4
_MOST_FILES = 1024


def split_file(file: InputFile, unit_bytes: int) -> tuple[FileRange, ...]:
    """The ranges of one file, of about ``unit_bytes`` each; they depend on nothing else.

    - plain JSON lines: bytes, cut at multiples of ``unit_bytes``;
    - Parquet: consecutive row groups, until ``unit_bytes`` of their uncompressed size. A file
      in one piece is ``(0, row groups)``; one whose footer is not read is ``(0, 0)``, and
      the reader, which reads a whole file whatever its ``stop``, reports what is wrong;
    - compressed JSON lines: all of it.

    Raises:
        InputError: the file cannot be opened, or changed since it was listed.
    """
    _check_unit(unit_bytes)
    if file.format == "parquet":
        bounds = _row_group_bounds(file, unit_bytes)
    elif file.compression == "none":
        bounds = [(at, min(at + unit_bytes, file.size)) for at in range(0, file.size, unit_bytes)]
    else:
        bounds = [(0, file.size)]
    bounds = bounds or [(0, 0)]
    return tuple(FileRange(file, start, stop, i, len(bounds)) for i, (start, stop) in enumerate(bounds))


def group_ranges(
    listing: Listing, unit_bytes: int, files_per_partition: int | None = None
) -> tuple[tuple[FileRange, ...], ...]:
    """Units of work over a listing, in its order; they depend on the arguments alone.

    A file larger than ``unit_bytes`` is split, each range a unit; consecutive smaller files
    go together up to ``unit_bytes`` and 1024 files, compressed files and Parquet counted
    fourfold. With ``files_per_partition`` a unit is that many whole files, whatever their size.

    Raises:
        ConfigurationError: a size or number below 1.
        InputError: a file cannot be opened, or changed since it was listed.
    """
    _check_unit(unit_bytes)
    if files_per_partition is not None:
        if files_per_partition < 1:
            raise ConfigurationError(f"files_per_partition is {files_per_partition}: it must be at least 1")
        whole = [_whole(file) for file in listing.files]
        return tuple(
            tuple(whole[i : i + files_per_partition]) for i in range(0, len(whole), files_per_partition)
        )
    return tuple(_grouped(listing, unit_bytes))


def _grouped(listing: Listing, unit_bytes: int) -> Iterator[tuple[FileRange, ...]]:
    held: list[FileRange] = []
    weight = 0
    for file in listing.files:
        expected = _decoded_size(file)
        ranges = (_whole(file),) if expected <= unit_bytes else split_file(file, unit_bytes)
        is_full = weight + expected > unit_bytes or len(held) == _MOST_FILES
        if held and (is_full or len(ranges) > 1):
            yield tuple(held)
            held, weight = [], 0
        if len(ranges) > 1:
            yield from ((r,) for r in ranges)
        else:
            held.append(ranges[0])
            weight += expected
    if held:
        yield tuple(held)


def _decoded_size(file: InputFile) -> int:
    is_plain = file.format == "jsonl" and file.compression == "none"
    return file.size if is_plain else file.size * _COMPRESSED_SWELLING


def _whole(file: InputFile) -> FileRange:
    return FileRange(file, 0, 0 if file.format == "parquet" else file.size)


def _row_group_bounds(file: InputFile, unit_bytes: int) -> list[tuple[int, int]]:
    from gpucurate.io.parquet.footer import BadParquetError, open_parquet

    with open_source(file) as source:
        try:
            metadata = open_parquet(source).metadata
        except BadParquetError:
            return [(0, 0)]  # told by the reader, as a reject
        sizes = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
    bounds: list[tuple[int, int]] = []
    start = weight = 0
    for i, size in enumerate(sizes):
        if i > start and weight + size > unit_bytes:
            bounds.append((start, i))
            start, weight = i, 0
        weight += max(0, size)
    return [*bounds, (start, len(sizes))] if sizes else []


def _check_unit(unit_bytes: int) -> None:
    if unit_bytes < 1:
        raise ConfigurationError(f"unit_bytes is {unit_bytes}: it must be at least 1")
