"""One tree of errors. Each class carries the exit code the command ends with.

A message gives what was given, what was expected, and what to do.
"""

from __future__ import annotations

from typing import ClassVar


class GpucurateError(Exception):
    """Base of every error that gpucurate raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(GpucurateError):
    """The command was called in a way that cannot be carried out."""

    exit_code = 2


class ConfigurationError(GpucurateError, ValueError):
    """Options, stages or paths that contradict each other; found before any work starts."""

    exit_code = 3


class OutputInUseError(GpucurateError):
    """The output folder holds something else, or another run owns it."""

    exit_code = 4


class InputError(GpucurateError):
    """The input is missing, unreadable, empty of files, or changed while it was read."""

    exit_code = 5


class InputChangedError(InputError):
    """A file is not what was listed; ``what`` says in what, as a sentence without its name."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message, what)
        self.what = what

    def __str__(self) -> str:
        return str(self.args[0])


class InputLostError(InputError):
    """What one segment made of a unit for the next is gone or torn: it has to be made again."""


class StorageError(GpucurateError):
    """Writing failed: disk full, no permission, device error."""

    exit_code = 6


class TooManyRejectsError(GpucurateError):
    """More rows were rejected than ``--max-reject-rate`` allows."""

    exit_code = 7


class QuarantinedError(GpucurateError):
    """The run finished, but some tasks could not be done and were set aside."""

    exit_code = 8


class BooksError(GpucurateError):
    """read = kept + dropped + rejected + quarantined does not hold."""

    exit_code = 70


class InterruptedRunError(GpucurateError):
    """A signal ended the run; what was finished is committed, and the same command continues."""

    exit_code = 130

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.signum = signum


class StageError(GpucurateError):
    """A stage raised, returned something that is not a task, or lacks what it declared."""

    def __init__(self, message: str, stage: str) -> None:
        super().__init__(message)
        self.stage = stage


class DeviceError(GpucurateError):
    """A CUDA device or what drives it is missing, or a kernel does not compile."""


class NotOnDeviceError(GpucurateError, NotImplementedError):
    """An operation was given arrays of a CUDA device, but has no CUDA implementation."""


class OverBudgetError(GpucurateError, MemoryError):
    """More memory was asked for than a budget has left, or a batch of one row does not fit."""


class LeakError(GpucurateError):
    """Memory of a pool was still held when the run that took it was over."""


def one_line(error: Exception) -> str:
    """The first line of an error's message."""
    return str(error).strip().split("\n", 1)[0]
