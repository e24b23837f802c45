"""Lists of ids on disk, as NeMo Curator and others write them: Parquet or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.io.listing import Listing, list_input
from gpucurate.io.ranges import group_ranges
from gpucurate.io.reader import read_range
from gpucurate.io.schema import schema_names
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.stages.deduplication.id_generator import CURATOR_DEDUP_ID_STR

USUAL_NAMES = (CURATOR_DEDUP_ID_STR, "id")


class IdList:
    """A list of ids, a row each.

    Args:
        path: file, folder or glob of Parquet or JSON lines.
        field: the column of ids; ``_curator_dedup_id``, ``id`` or the only one if None.

    Raises:
        InputError: there is no list.
        ConfigurationError: no column of ids.
    """

    def __init__(self, path: str | PathLike[str], field: str | None = None) -> None:
        self.listing: Listing = list_input([path])
        self.columns = self._first_columns()
        self.field = _field(self.columns, field, self.listing.files[0].name)

    def _first_columns(self) -> list[str]:
        return next(filter(None, map(schema_names, self.listing.files)), [])

    def tables(self, others: Sequence[str] = ()) -> Iterator[pa.Table]:
        """The column of ids and others, piece by piece.

        Raises:
            InputError: a row cannot be read, or has no id.
        """
        for group in group_ranges(self.listing, 64 * MIB):
            for source in group:
                for piece in read_range(source, fields=[self.field, *others], keep_original=False):
                    nulls = piece.table.column(0).null_count
                    if piece.rejects or nulls:
                        why = (
                            piece.rejects[0].detail
                            if piece.rejects
                            else f"{nulls} rows have no {self.field!r}"
                        )
                        raise InputError(f"{source.file.path} is no list of ids: {why}")
                    yield piece.table

    def integers(self, others: Sequence[str] = ()) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
        """The ids as integers, and the table that they are of, piece by piece.

        Raises:
            InputError: an id is no integer.
        """
        for table in self.tables(others):
            column = table.column(0)
            if len(column) and not pa.types.is_integer(column.type):
                raise InputError(
                    f"column {self.field!r} holds {column.type}: ids of an id generator are integers"
                )
            yield column.to_numpy().astype(np.int64), table


def _field(columns: Sequence[str], field: str | None, file: str) -> str:
    candidates = USUAL_NAMES if field is None else (field,)
    for name in candidates:
        if name in columns or not columns:
            return name
    if field is None and len(columns) == 1:
        return columns[0]
    wanted = " or ".join(map(repr, candidates))
    raise ConfigurationError(
        f"no column {wanted} in {file}, which has {', '.join(map(repr, columns))}: name it"
    )
