"""What a unit of work is taken to hold in memory while it runs."""

from __future__ import annotations

from collections.abc import Iterable

from gpucurate.spec.bytesize import MIB
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import Unit

EXPANSION = 6
"""Bytes held for each byte of a piece: the raw bytes, the text, what a stage makes of it,
the output. Measured on dedup runs (benchmarks/RESULTS.md), with room for a copy more."""

DECODED = 4
"""A compressed file or Parquet becomes about so many times larger."""

ROW_GROUP = 96 * MIB
"""Beside the pieces of Parquet: the row group held back until it is large enough, and its encoding."""


def decoded_bytes(units: Iterable[Unit]) -> int:
    """About what the input of units becomes once it is decoded."""
    ranges = (r for unit in units for group in unit.groups for r in group)
    return sum(r.est_bytes * (DECODED if _is_packed(r) else 1) for r in ranges)


def _is_packed(source: FileRange) -> bool:
    return source.file.format == "parquet" or source.file.compression != "none"


def unit_memory(unit: Unit, piece_bytes: int | None) -> int:
    """Bytes, for admission.

    Args:
        unit: the unit.
        piece_bytes: the most that its reader holds at a time; None if it reads nothing in pieces.
    """
    formats = {(r.file.format, r.file.compression) for group in unit.groups for r in group}
    packed = any(_is_packed(r) for group in unit.groups for r in group)
    decoded = unit.est_bytes * (DECODED if packed else 1)
    held = decoded if piece_bytes is None else min(decoded, piece_bytes * max(1, len(unit.groups)))
    columnar = any(format == "parquet" for format, _ in formats)
    return EXPANSION * held + (min(ROW_GROUP, decoded) if columnar else 0)
