"""Face: removal by a list of ids under NeMo Curator's import path."""

from gpucurate.workflows.removal import TextDuplicatesRemovalWorkflow

__all__ = ["TextDuplicatesRemovalWorkflow"]
