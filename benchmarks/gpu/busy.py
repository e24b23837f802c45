"""How much of the time a GPU computes, as NVML samples it."""

from __future__ import annotations

import importlib
import shutil
import statistics
import subprocess
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

EVERY = 0.05
"""Seconds between samples; NVML's own window is a sixth of a second or more."""


class Busy:
    """Samples the first GPU while its ``with`` lasts: by NVML, or ``nvidia-smi`` where there is no pynvml.

    Attributes:
        samples: percent of NVML's window in which a kernel ran.
        why_not: what keeps it from sampling, in words.
    """

    def __init__(self) -> None:
        self.samples: list[float] = []
        self.why_not = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    @property
    def share(self) -> float | None:
        """Mean of the samples, 0 to 1; None without any."""
        return statistics.fmean(self.samples) / 100 if self.samples else None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        try:
            read = _by_nvml()
        except Exception as by_nvml:  # also where there is no driver
            read = _by_command
            self.why_not = f"{type(by_nvml).__name__}: {by_nvml}"
            if shutil.which("nvidia-smi") is None:
                return
        while not self._over.wait(EVERY):
            try:
                self.samples.append(read())
            except Exception as error:  # NVML's own kinds, or those of a command
                self.why_not = f"{type(error).__name__}: {error}"
                return


def _by_nvml() -> Callable[[], float]:
    nvml = importlib.import_module("pynvml")
    nvml.nvmlInit()
    handle = nvml.nvmlDeviceGetHandleByIndex(0)
    return lambda: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)


def _by_command() -> float:
    command = ["nvidia-smi", "--id=0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=5).stdout)
