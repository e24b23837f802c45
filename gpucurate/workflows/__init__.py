"""Pipelines with phases: deduplication."""
