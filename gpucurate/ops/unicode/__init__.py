"""Unicode 15.1: the properties and the lower-case mapping that text operations share."""

from gpucurate.ops.unicode.tables import (
    OTHER,
    SOLO,
    SPACE,
    UNICODE_VERSION,
    WORD,
    UnicodeTables,
    unicode_tables,
)

__all__ = ["OTHER", "SOLO", "SPACE", "UNICODE_VERSION", "WORD", "UnicodeTables", "unicode_tables"]
