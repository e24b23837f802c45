"""What waits between two segments, in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Edge:
    """A budget of bytes for what one segment has made and the next has not finished with.

    Integers only: with floats the test for an empty edge fails after rounding, and a run can
    stop for ever. A segment may always make one item for an empty edge, however large: so the
    deepest segment that has input can always run, and by induction every other.

    Attributes:
        budget: bytes that may wait, what is being made included.
        waiting: bytes that do.
        reserved: bytes that units in work are taken to make.
        peak: the most that ever waited.
        largest: the largest item that ever waited.
    """

    budget: int
    waiting: int = 0
    reserved: int = 0
    peak: int = 0
    largest: int = 0
    _items: dict[str, int] = field(default_factory=dict)
    _promises: dict[str, int] = field(default_factory=dict)

    def admits(self, size: int) -> bool:
        """Whether an item of about ``size`` bytes may be made."""
        if not self._items and not self._promises:
            return True
        return self.waiting + self.reserved + size <= self.budget

    def promise(self, unit: str, size: int) -> None:
        """A unit is in work that will make about ``size`` bytes."""
        self._promises[unit] = size
        self.reserved += size

    def withdraw(self, unit: str) -> None:
        """The unit is in work no more."""
        self.reserved -= self._promises.pop(unit, 0)

    def put(self, unit: str, size: int) -> None:
        """A unit has made ``size`` bytes, which wait."""
        self._items[unit] = size
        self.waiting += size
        self.peak = max(self.peak, self.waiting)
        self.largest = max(self.largest, size)

    def take(self, unit: str) -> bool:
        """What the unit made is needed no more, or lost; False if nothing of it waited."""
        size = self._items.pop(unit, None)
        self.waiting -= size or 0
        return size is not None

    def size_of(self, unit: str) -> int:
        """Bytes that wait of a unit."""
        return self._items.get(unit, 0)

    def __len__(self) -> int:
        return len(self._items)
