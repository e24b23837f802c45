"""Face: fuzzy deduplication under NeMo Curator's import path."""

from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

__all__ = ["FuzzyDeduplicationWorkflow"]
