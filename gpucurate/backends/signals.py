"""Ctrl-C and SIGTERM: the first asks the run to stop, the second ends it."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_WATCHED = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While open, remembers the first signal; the second raises ``KeyboardInterrupt``.

    Outside the main thread, where Python delivers no signals, it does nothing.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {
                # What whoever started us had ignored, as nohup and a shell's & do, stays ignored;
                # None is a handler that was not set by Python, and cannot be put back.
                number: signal.signal(number, self._on)
                for number in _WATCHED
                if signal.getsignal(number) not in (signal.SIG_IGN, None)
            }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
