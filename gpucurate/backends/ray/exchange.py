"""Tasks on their way through Ray's object store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import pyarrow as pa

from gpucurate.backends.packing import Packed, pack, unpack
from gpucurate.tasks.task import Task

Parcel: TypeAlias = tuple[list[Packed], pa.Buffer]
"""Where tasks lie in a buffer, and the buffer, which Ray moves without pickling it."""


@dataclass(slots=True)
class HandedOn:
    """A parcel as the driver knows it, which never loads it.

    The driver owns the object, since it is what a call of the driver's returned: it outlives the
    actor that made it, however that ends, and is lost only with the node that it lies on.

    Attributes:
        ref: Ray's reference; None once it is released.
    """

    ref: Any


class RayExchange:
    """The worker's end: what a unit makes is kept until the call that made it returns it."""

    def __init__(self) -> None:
        self._made: Parcel | None = None

    def put(self, tasks: Iterator[Task[Any]], name: str) -> tuple[None, int]:
        """Pack tasks, one at a time."""
        out = pa.BufferOutputStream()
        index = list(map(partial(pack, out=out), tasks))  # no variable that would hold a task meanwhile
        self._made = index, out.getvalue()
        return None, self._made[1].size

    def take(self) -> Parcel | None:
        """What the last unit made, once; None if it made nothing."""
        made, self._made = self._made, None
        return made

    def get(self, handle: Parcel) -> Iterator[Task[Any]]:
        """The tasks, over a copy that is the worker's own: what lies in the store cannot be written to."""
        index, buffer = handle
        data = memoryview(bytearray(buffer))
        for packed in index:
            yield unpack(packed, data)  # straight on, so that no variable holds it

    def drop(self, handle: Parcel) -> None:
        """Nothing: the driver lets go of its reference."""
