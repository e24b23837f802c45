"""What segments have made of units that are still on their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gpucurate.spec.unit import UnitResult, merged


class Partials:
    """Results of units by segment, until the last one is there.

    Args:
        begun: what an earlier run has made of units that begin from a checkpoint, by name.
    """

    def __init__(self, begun: Mapping[str, UnitResult]) -> None:
        self._begun = begun
        self._by_unit: dict[str, dict[int, UnitResult]] = {}

    def begin(self, unit: str, segment: int) -> None:
        """A unit enters a segment (again): what that and later ones made of it counts no more."""
        parts = self._by_unit.setdefault(unit, {})
        for later in [at for at in parts if at >= segment]:
            del parts[later]

    def put(self, unit: str, segment: int, result: UnitResult) -> None:
        """A segment is done with a unit."""
        self._by_unit.setdefault(unit, {})[segment] = result

    def given(self, unit: str, segment: int) -> Any:
        """What a segment takes up of a unit; None for the first."""
        return self._by_unit[unit][segment - 1].handed_on if segment else None

    def take_handed_on(self, unit: str, segment: int) -> Any:
        """What a segment handed on, which is needed no more; None if that is gone already."""
        result = self._by_unit.get(unit, {}).get(segment)
        if result is None:
            return None
        handed_on, result.handed_on = result.handed_on, None
        return handed_on

    def finish(self, unit: str) -> UnitResult:
        """All that was made of a unit, as one result."""
        begun = self._begun.get(unit)
        whole = self._whole(unit, self._by_unit.pop(unit))
        return whole if begun is None else replace(whole, saved=list(begun.saved))

    def upto(self, unit: str, segment: int) -> UnitResult:
        """All that was made of a unit by the segments up to one, and the files that this one saved."""
        parts, begun = self._by_unit[unit], self._begun.get(unit)
        whole = self._whole(unit, {at: part for at, part in parts.items() if at <= segment})
        aside = [*(begun.saved if begun else []), *whole.outputs]
        return replace(whole, saved=list(parts[segment].saved), outputs=aside, tasks=[])

    def _whole(self, unit: str, parts: Mapping[int, UnitResult]) -> UnitResult:
        begun = self._begun.get(unit)
        before = [] if begun is None else [replace(begun, outputs=[])]
        return merged([*before, *(parts[at] for at in sorted(parts))])

    def forget(self, unit: str) -> None:
        """The unit was set aside."""
        self._by_unit.pop(unit, None)
