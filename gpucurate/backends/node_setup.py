"""What stages do once on a machine, before any worker of it starts."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from gpucurate.backends.call import Stage
from gpucurate.spec.errors import GpucurateError, StageError
from gpucurate.stages.told import told


def set_up_node(stages: Iterable[Stage]) -> None:
    """Call ``setup_on_node`` of each stage, on a copy: what it sets would reach workers of one machine alone.

    Raises:
        GpucurateError: a stage could not be set up.
    """
    for stage in stages:
        try:
            copy.copy(stage).setup_on_node()
        except GpucurateError:
            raise
        except Exception as error:
            *trace, last = told(stage, error, "could not be set up on this machine:").splitlines()
            failure = StageError(last, stage.name)
            failure.add_note("\n".join(trace))
            raise failure from error
