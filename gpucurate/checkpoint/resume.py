"""What a run does about an earlier one in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from gpucurate.spec.errors import ConfigurationError

Mode = Literal["auto", "changed", "fresh"]

ADVICE = "Give --resume-changed to keep what still holds, --fresh to begin anew, or another output"
"""What can be done where an earlier run was of something else."""


@dataclass(frozen=True, slots=True)
class Resume:
    """What becomes of an earlier run.

    Attributes:
        mode: ``auto`` goes on with it and refuses what has changed; ``changed`` keeps the units of work that
            are the same and does the others; ``fresh`` removes what it wrote, and nothing else.
        take_over: take the folder from an owner that is not known to be alive.

    Raises:
        ConfigurationError: a mode that there is not.
    """

    mode: Mode = "auto"
    take_over: bool = False

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ConfigurationError(f"resume={self.mode!r} is not known: choose {', '.join(get_args(Mode))}")
