"""Ctrl-C and SIGTERM: the first asks the run to stop, the second ends it."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_WATCHED = (signal.SIGINT, signal.SIGTERM)

PATIENCE_SECONDS = 28.0
"""After so long the first signal counts for two: schedulers kill what has not ended after 30 s."""


class StopSignals:
    """While open, remembers the first signal; the second raises ``KeyboardInterrupt``, as does the first
    once it has been waited for long enough: a unit that runs in this process may take longer.

    Outside the main thread, where Python delivers no signals, it does nothing.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}
        self._timer: threading.Timer | None = None

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
        if self._timer is not None:
            self._timer.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
        self._timer = threading.Timer(PATIENCE_SECONDS, os.kill, (os.getpid(), number))
        self._timer.daemon = True
        self._timer.start()
