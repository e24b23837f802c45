"""Calling the code of a stage from within another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gpucurate.spec.errors import GpucurateError, StageError
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.told import told


@contextmanager
def calling(stage: ProcessingStage[Any, Any], did: str) -> Iterator[None]:
    """What the stage raises inside names it; errors of ours and lack of memory go on as they are.

    Args:
        stage: whose code is called.
        did: between the name and what was raised, such as ``raised``.

    Raises:
        StageError: the stage raised something else.
    """
    try:
        yield
    except (GpucurateError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise StageError(told(stage, error, did), stage.name) from error
