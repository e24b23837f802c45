"""Exact deduplication under NeMo Curator's import path."""
