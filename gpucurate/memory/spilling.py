"""Things that hold device memory and can give it back, in the order in which they are asked."""

from __future__ import annotations

import threading
import weakref
from itertools import count
from typing import Protocol

from gpucurate.memory.out_of_memory import forget, is_out_of_memory
from gpucurate.spec.errors import ConfigurationError


class Spillable(Protocol):
    """Holds device memory that it can give back and take again when it is needed.

    Attributes:
        remade: whether giving back is dropping: it is made again without work, or never needed again.
    """

    remade: bool

    @property
    def nbytes(self) -> int:
        """Bytes of device memory held now."""
        ...

    def spill(self) -> int:
        """Give the memory back; the bytes freed, 0 where it is in use."""
        ...


class SpillRegistry:
    """What can be spilled: first what is remade without work, then the least recently used.

    Holds its items by weak references: what is gone needs no spilling. Threads may share one; an
    item is asked by one thread at a time, and without a lock held.
    """

    def __init__(self) -> None:
        self._items: dict[int, tuple[weakref.ref[Spillable], int]] = {}
        self._busy: set[int] = set()
        self._clock = count()
        self._lock = threading.Lock()

    def register(self, item: Spillable) -> None:
        """Add an item as the most recently used; again does what :meth:`touch` does."""
        with self._lock:
            self._items[id(item)] = weakref.ref(item), next(self._clock)

    def unregister(self, item: Spillable) -> None:
        """Forget an item; one that is not there is none."""
        with self._lock:
            self._items.pop(id(item), None)

    def touch(self, item: Spillable) -> None:
        """Note that an item was used just now.

        Raises:
            ConfigurationError: it was not registered.
        """
        with self._lock:
            if id(item) not in self._items:
                raise ConfigurationError(f"{item!r} was not registered for spilling: register it first")
            self._items[id(item)] = weakref.ref(item), next(self._clock)

    @property
    def nbytes(self) -> int:
        """Bytes that the items hold now."""
        return sum(item.nbytes for item in self._in_order())

    def free(self, nbytes: int) -> int:
        """Spill until ``nbytes`` are free or nothing is left to ask; the bytes freed.

        An item that runs out of memory while it spills frees nothing; the next is asked.
        """
        freed = 0
        for item in self._in_order():
            if freed >= nbytes:
                break
            freed += self._spill(item)
        return freed

    def _in_order(self) -> list[Spillable]:
        """The living items in the order of the rule."""
        with self._lock:
            living = [(ref(), key, used) for key, (ref, used) in self._items.items()]
            for item, key, _ in living:
                if item is None:
                    del self._items[key]
        found = [(not item.remade, used, item) for item, _, used in living if item is not None]
        return [item for _, _, item in sorted(found, key=lambda each: each[:2])]

    def _spill(self, item: Spillable) -> int:
        with self._lock:
            if id(item) in self._busy:
                return 0
            self._busy.add(id(item))
        try:
            return item.spill() if item.nbytes else 0
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            forget(error)
            return 0
        finally:
            with self._lock:
                self._busy.discard(id(item))
