"""JSON lines: where they are, where the values of a few fields are in them, and strings without escapes."""

from gpucurate.ops.json_lines.contract import (
    BEGIN,
    END,
    ESCAPED,
    KIND,
    MISSING,
    MOST_FIELDS,
    NULL,
    OTHER,
    PLAIN,
    SIZE,
    copy_strings,
    find_lines,
    scan_fields,
)

__all__ = [
    "BEGIN",
    "END",
    "ESCAPED",
    "KIND",
    "MISSING",
    "MOST_FIELDS",
    "NULL",
    "OTHER",
    "PLAIN",
    "SIZE",
    "copy_strings",
    "find_lines",
    "scan_fields",
]
