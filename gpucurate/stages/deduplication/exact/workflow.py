"""Face: exact deduplication under NeMo Curator's import path."""

from gpucurate.workflows.exact import ExactDeduplicationWorkflow

__all__ = ["ExactDeduplicationWorkflow"]
