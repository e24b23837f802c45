"""Peak memory of a run, sampled."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from gpucurate.memory.host import tree_pss

SAMPLE_SECONDS = 0.5


class MemoryWatch:
    """While open, samples the proportional set size of this process and its children.

    Attributes:
        current: bytes at the last sample.
        peak: the most that any sample saw, bytes.
    """

    def __init__(self) -> None:
        self.current = 0
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.current = tree_pss()
            self.peak = max(self.peak, self.current)
            if self._over.wait(SAMPLE_SECONDS):
                return
