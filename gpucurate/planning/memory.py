"""What a unit of work is taken to hold in memory while it runs."""

from __future__ import annotations

from gpucurate.spec.unit import Unit

EXPANSION = 6
"""Bytes held for each byte of a piece: the raw bytes, the text, what a stage makes of it,
the output. Measured on dedup runs (benchmarks/RESULTS.md), with room for a copy more."""

DECODED = 4
"""A compressed file or Parquet becomes about so many times larger."""


def unit_memory(unit: Unit, piece_bytes: int | None) -> int:
    """Bytes, for admission.

    Args:
        unit: the unit.
        piece_bytes: the most that its reader holds at a time; None if it reads nothing in pieces.
    """
    packed = any(r.file.format == "parquet" or r.file.compression != "none" for g in unit.groups for r in g)
    held = unit.est_bytes * (DECODED if packed else 1)
    if piece_bytes is not None:
        held = min(held, piece_bytes * max(1, len(unit.groups)))
    return EXPANSION * held
