"""Taking from an iterator in a thread, so that it works while its user does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Box(Generic[T]):
    """Something that was made, or why no more will come; taken out by who gets it."""

    made: list[T]
    error: BaseException | None = None
    is_last: bool = False


def ahead(items: Iterable[T], depth: int = 1) -> Iterator[T]:
    """The items in order, up to ``depth`` of them made before they are asked for, and one in the making.

    Exceptions come where the item would have come. Whoever closes the generator, or drops it, ends the
    thread, which finishes the item that it is at.

    Args:
        items: consumed in a thread, with the context variables of the caller.
        depth: at least 1.

    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    boxes: queue.Queue[_Box[T]] = queue.Queue(depth)
    stopped = threading.Event()
    context = copy_context()
    thread = threading.Thread(
        target=context.run, args=(_make, items, boxes, stopped), name="ahead", daemon=True
    )
    thread.start()
    try:
        while not (box := boxes.get()).is_last:
            yield box.made.pop()
        if box.error is not None:
            raise box.error
    finally:
        stopped.set()
        _drain(boxes, thread)


def _make(items: Iterable[T], boxes: queue.Queue[_Box[T]], stopped: threading.Event) -> None:
    source = iter(items)
    try:
        for item in source:
            box = _Box([item])
            del item  # who takes it out of the box is the last to hold it
            if not _put(boxes, box, stopped):
                return
        _put(boxes, _Box([], is_last=True), stopped)
    except BaseException as error:  # handed to whoever asks for the item
        _put(boxes, _Box([], error, is_last=True), stopped)
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()


def _put(boxes: queue.Queue[_Box[T]], box: _Box[T], stopped: threading.Event) -> bool:
    """Wait for room; False where nobody wants more."""
    while not stopped.is_set():
        try:
            boxes.put(box, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False


def _drain(boxes: queue.Queue[_Box[T]], thread: threading.Thread) -> None:
    """Wait for the thread; what it has made goes."""
    thread.join()
    while not boxes.empty():
        boxes.get()
