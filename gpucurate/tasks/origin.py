"""Where a batch came from, so that its rows can be found again."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.spec.source import FileRange


@dataclass(frozen=True, slots=True)
class Origin:
    """Piece of a file range that a batch was read from.

    Attributes:
        source: the range; None for a batch made in memory.
        name: what output names derive from, relative, ``/`` as separator.
        ordinal: position of the range in its file.
        count: ranges of the file.
        first_record: first physical record of the piece, counted from the start of the range.
        place: position of the range among those of its unit, and physical records of the unit before it;
            known once the batch goes from one worker to another.
    """

    source: FileRange | None
    name: str
    ordinal: int = 0
    count: int = 1
    first_record: int = 0
    place: tuple[int, int] | None = None

    @classmethod
    def of_range(cls, source: FileRange, first_record: int = 0) -> Origin:
        """The origin of a piece of ``source``."""
        return cls(source, source.file.name, source.ordinal, source.count, first_record)
