"""Columns of equal length."""

from __future__ import annotations

from collections.abc import Sequence

from pylibcudf.column import Column


class Table:
    """Columns without names."""

    def __init__(self, columns: Sequence[Column], num_rows: int | None = None) -> None:
        if not all(isinstance(column, Column) for column in columns):
            raise ValueError("All columns must be pylibcudf Column objects")
        self._columns = tuple(columns)
        self._rows = num_rows or 0
        if self._columns:
            self._rows = self._columns[0].size()
        if any(column.size() != self._rows for column in self._columns):
            raise ValueError("Column size mismatch")

    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        return self._columns

    def num_rows(self) -> int:
        """Their length."""
        return self._rows

    def num_columns(self) -> int:
        """How many."""
        return len(self._columns)
