"""Readers."""

from pylibcudf.io import parquet, types
from pylibcudf.io.types import SourceInfo, TableWithMetadata

__all__ = ["SourceInfo", "TableWithMetadata", "parquet", "types"]
