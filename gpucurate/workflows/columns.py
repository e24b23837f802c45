"""Columns that decide between documents, found before anything runs."""

from __future__ import annotations

from itertools import islice

from gpucurate.io.limits import ReadLimits
from gpucurate.io.listing import Listing
from gpucurate.io.ranges import split_file
from gpucurate.io.reader import read_range
from gpucurate.io.schema import schema_names
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import InputFile
from gpucurate.stages.deduplication.column_path import ColumnPath

_HEAD = 4 * MIB
_PIECES = 4


def find_column(listing: Listing, name: str, limits: ReadLimits) -> ColumnPath:
    """Where the values called ``name`` stand in the first file that has documents.

    A column of that name comes before what lies below one: ``metadata.score`` is the key
    ``score`` of the objects in ``metadata`` where no column is called ``metadata.score``.

    Raises:
        ConfigurationError: no document at the beginning of that file has it.
        InputError: the file cannot be read.
    """
    for file in listing.files:
        names = schema_names(file)
        if names:
            return _below(file, names, name, limits)
    return ColumnPath(name)  # there is nothing to read, which is told when it is read


def _below(file: InputFile, names: list[str], name: str, limits: ReadLimits) -> ColumnPath:
    if name in names:
        return ColumnPath(name)
    keys = name.split(".")
    for count in range(len(keys) - 1, 0, -1):
        path = ColumnPath(".".join(keys[:count]), tuple(keys[count:]))
        if path.field in names and _has_values(file, path, limits):
            return path
    raise ConfigurationError(
        f"no column {name!r} in the first documents of {file.name}: it has {', '.join(map(repr, names))}"
    )


def _has_values(file: InputFile, path: ColumnPath, limits: ReadLimits) -> bool:
    """Whether some of the first documents have a value there."""
    source = split_file(file, _HEAD)[0]
    pieces = read_range(
        source, fields=[path.field], piece_bytes=_HEAD // _PIECES, keep_original=False, limits=limits
    )
    return any(
        len(found) > found.null_count for found in map(path.of, (p.table for p in islice(pieces, _PIECES)))
    )
