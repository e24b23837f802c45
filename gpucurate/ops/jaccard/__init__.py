"""Exact Jaccard similarity of the sets of shingles of pairs of documents."""

from gpucurate.ops.jaccard.contract import jaccard, shared_shingles

__all__ = ["jaccard", "shared_shingles"]
