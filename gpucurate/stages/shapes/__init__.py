"""Shapes of pipelines beside the straight line: side by side, a way aside, one figure over all, a place to
begin again."""

from gpucurate.stages.shapes.branch import Branch
from gpucurate.stages.shapes.checkpoint import Checkpoint
from gpucurate.stages.shapes.parallel import Parallel
from gpucurate.stages.shapes.reduce import ReduceStage

__all__ = ["Branch", "Checkpoint", "Parallel", "ReduceStage"]
