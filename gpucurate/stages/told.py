"""What a stage's own code raised, as a message."""

from __future__ import annotations

import traceback
from typing import Any

from gpucurate.spec.redaction import redact
from gpucurate.stages.base import ProcessingStage

LONGEST_MESSAGE = 16_000
"""Characters of a traceback that are kept, the last ones."""


def told(stage: ProcessingStage[Any, Any], error: BaseException, did: str) -> str:
    """An exception of a stage's own code as a message: the traceback, and at the end one line."""
    trace = redact("".join(traceback.format_exception(error)).rstrip()[-LONGEST_MESSAGE:])
    last = redact(" ".join(traceback.format_exception_only(error)[-1].split()))
    return f"{trace}\nstage {stage.name!r} {did} {last}"
