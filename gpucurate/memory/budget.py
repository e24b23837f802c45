"""Bytes that may be in use at once, reserved before they are allocated."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.errors import ConfigurationError, OverBudgetError

SOFT = 0.85
"""Share of a limit above which memory is tight."""


class Reservation:
    """Bytes set aside in a :class:`Budget` until :meth:`release`, or the end of a ``with``.

    Attributes:
        nbytes: how many.
    """

    def __init__(self, budget: Budget, nbytes: int) -> None:
        self.nbytes = nbytes
        self._budget: Budget | None = budget
        self._lock = threading.Lock()

    def release(self) -> None:
        """Give the bytes back; a second time does nothing."""
        with self._lock:
            budget, self._budget = self._budget, None
        if budget is not None:
            budget._return(self.nbytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Budget:
    """A limit in bytes that holds: what would pass it is not let in. Threads may share one.

    Args:
        limit: bytes, at least one.
        soft: share of the limit above which memory is tight, above 0 and at most 1.

    Raises:
        ConfigurationError: a limit below one byte, or no such share.

    >>> budget = Budget(1000)
    >>> with budget.reserve(900):
    ...     budget.free, budget.is_tight
    (100, True)
    >>> budget.in_use, budget.peak
    (0, 900)
    """

    def __init__(self, limit: int, soft: float = SOFT) -> None:
        if limit < 1 or not 0 < soft <= 1:
            raise ConfigurationError(
                f"a budget of {limit} bytes with a soft limit of {soft:g} is not possible: "
                "give at least one byte, and a share above 0 and at most 1"
            )
        self.limit = limit
        self.soft_limit = int(limit * soft)
        self._in_use = 0
        self._peak = 0
        self._lock = threading.Lock()

    def reserve(self, nbytes: int) -> Reservation:
        """Set ``nbytes`` aside; use as a context manager, or release.

        Raises:
            OverBudgetError: they are not free.
            ConfigurationError: ``nbytes`` is negative.
        """
        reservation = self.try_reserve(nbytes)
        if reservation is None:
            raise OverBudgetError(self._refusal(nbytes))
        return reservation

    def try_reserve(self, nbytes: int) -> Reservation | None:
        """Set ``nbytes`` aside, or None where they are not free.

        Raises:
            ConfigurationError: ``nbytes`` is negative.
        """
        if nbytes < 0:
            raise ConfigurationError(f"{nbytes} bytes cannot be reserved: give none or more")
        with self._lock:
            if nbytes > self.limit - self._in_use:
                return None
            self._in_use += nbytes
            self._peak = max(self._peak, self._in_use)
        return Reservation(self, nbytes)

    @property
    def in_use(self) -> int:
        """Bytes reserved now."""
        return self._in_use

    @property
    def peak(self) -> int:
        """The most bytes that were reserved at once."""
        return self._peak

    @property
    def free(self) -> int:
        """Bytes that can still be reserved."""
        return self.limit - self._in_use

    @property
    def is_tight(self) -> bool:
        """Whether more is reserved than the soft limit."""
        return self._in_use > self.soft_limit

    def _return(self, nbytes: int) -> None:
        with self._lock:
            self._in_use -= nbytes

    def _refusal(self, nbytes: int) -> str:
        todo = (
            "raise the limit or take smaller batches"
            if nbytes > self.limit
            else "wait for what is in use, raise the limit, or take smaller batches"
        )
        return (
            f"{format_bytes(nbytes)} ({nbytes:,} bytes) were asked for, {format_bytes(self.free)} are free "
            f"of a limit of {format_bytes(self.limit)}: {todo}"
        )
