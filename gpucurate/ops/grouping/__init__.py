"""Sorting of keys with the ids of their documents."""

from gpucurate.ops.grouping.contract import MAX_DOCUMENTS, check_document_count, sort_hashes, sort_pairs

__all__ = ["MAX_DOCUMENTS", "check_document_count", "sort_hashes", "sort_pairs"]
