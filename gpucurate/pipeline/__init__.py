"""Pipelines: stages put together, checked, described and run."""

from gpucurate.pipeline.pipeline import Pipeline
from gpucurate.pipeline.result import RunResult

__all__ = ["Pipeline", "RunResult"]
