"""gpucurate: GPU-native dataframe pipelines that curate text corpora for LLM training.

Importing it costs next to nothing; what a name needs is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpucurate.backends.executors import InlineExecutor, LocalExecutor
    from gpucurate.backends.ray.executor import RayExecutor
    from gpucurate.pipeline.pipeline import Pipeline
    from gpucurate.stages.function_decorators import processing_stage
    from gpucurate.stages.shapes.checkpoint import Checkpoint
    from gpucurate.workflows.one_line import exact_dedup, fuzzy_dedup
    from gpucurate.workflows.segments_one_line import line_dedup, paragraph_dedup

__version__ = "0.1.0"

_HOMES = {
    "Checkpoint": "gpucurate.stages.shapes.checkpoint",
    "InlineExecutor": "gpucurate.backends.executors",
    "LocalExecutor": "gpucurate.backends.executors",
    "Pipeline": "gpucurate.pipeline.pipeline",
    "RayExecutor": "gpucurate.backends.ray.executor",
    "allow_protocol": "gpucurate.io.urls",
    "exact_dedup": "gpucurate.workflows.one_line",
    "fuzzy_dedup": "gpucurate.workflows.one_line",
    "line_dedup": "gpucurate.workflows.segments_one_line",
    "paragraph_dedup": "gpucurate.workflows.segments_one_line",
    "processing_stage": "gpucurate.stages.function_decorators",
}

__all__ = [
    "Checkpoint",
    "InlineExecutor",
    "LocalExecutor",
    "Pipeline",
    "RayExecutor",
    "__version__",
    "allow_protocol",
    "exact_dedup",
    "fuzzy_dedup",
    "line_dedup",
    "paragraph_dedup",
    "processing_stage",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gpucurate' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
