"""An environment of a stage's own: variables, and the Python program that its workers run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gpucurate.spec.errors import ConfigurationError

PROBE_SECONDS = 30.0
"""A Python program may take so long to say its version."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What a segment's workers are started with.

    Attributes:
        variables: set before anything is imported.
        python: the program; this process's own if None.
    """

    variables: tuple[tuple[str, str], ...] = ()
    python: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Environment | None:
        """From a stage's ``runtime_env``; None where it asks for nothing."""
        if not given:
            return None
        variables = {str(name): str(value) for name, value in (given.get("env_vars") or {}).items()}
        return cls(tuple(sorted(variables.items())), given.get("py_executable"))

    def check(self) -> None:
        """Make sure that stages can be sent to the program.

        Raises:
            ConfigurationError: it does not run, or is another minor version of Python.
        """
        if self.python is not None:
            theirs, ours = _version(self.python), sys.version_info[:2]
            if theirs != ours:
                raise ConfigurationError(
                    f"py_executable {self.python} is Python {theirs[0]}.{theirs[1]}, and this is Python "
                    f"{ours[0]}.{ours[1]}: stages can be sent to the same minor version only"
                )

    def command(self, descriptor: int) -> list[str]:
        """The program that takes up work from a socket."""
        if self.python is None:
            return [sys.executable, "-P", "-c", _SAME, str(descriptor), *map(str, sys.path)]
        return [self.python, "-P", "-c", _OTHER, str(descriptor), str(Path(__file__).parents[2])]


_SAME = (
    "import sys; fd, *sys.path = sys.argv[1:]; "
    "from gpucurate.backends.worker_process import main; main(int(fd))"
)

# What is installed there comes first; ours only where it has no gpucurate.
_OTHER = (
    "import sys; fd, ours = sys.argv[1:]; sys.path.append(ours); "
    "from gpucurate.backends.worker_process import main; main(int(fd))"
)


@cache
def _version(python: str) -> tuple[int, int]:
    try:
        told = subprocess.run(
            [python, "-c", "import sys; print(list(sys.version_info[:2]))"],
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=True,
        )
        major, minor = json.loads(told.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ConfigurationError(f"py_executable {python} does not run: {error}") from error
    return major, minor
