"""What readers are given, and give."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pylibcudf.column import Column
from pylibcudf.table import Table


class SourceInfo:
    """Paths of files."""

    def __init__(self, sources: Sequence[str]) -> None:
        missing = [path for path in sources if not os.path.isfile(path)]
        if missing:
            raise FileNotFoundError(2, os.strerror(2), missing[0])
        self.paths = list(sources)


class TableWithMetadata:
    """A table with the names of its columns."""

    def __init__(self, tbl: Table, column_names: list[str]) -> None:
        self.tbl, self._names = tbl, column_names

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        return self.tbl.columns()

    def column_names(self, include_children: bool = False) -> list[str]:
        """Their names."""
        return list(self._names)
