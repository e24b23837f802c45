"""What ``report.json`` must hold of what is printed when a finished run is started again."""

from __future__ import annotations

from gpucurate.checkpoint.shape import Row, Shape

_NUMBER = (int, float)
_COUNTS: Shape = {"*": int}

_BOOKS: Shape = {
    "read": int, "kept": int, "quarantined": int, "blank": int, "dropped": _COUNTS, "rejected": _COUNTS,
    "added": _COUNTS,
}  # fmt: skip

_PLACE: Shape = {"path": str, "row": int, "text?": str}

_DETAILS: Shape = {
    "banding?": {
        "threshold": _NUMBER, "bands": int, "rows": int, "found": [Row((_NUMBER, _NUMBER))],
        "found_below": _NUMBER, "missed_above": _NUMBER,
    },
    "verification?": {
        "verify": frozenset({"exact", "estimate"}), "threshold": _NUMBER, "compared": int, "accepted": int,
        "rejected": int, "discarded": int,
    },
    "clusters?": {"count": int, "documents": int, "duplicates": int, "largest": [_PLACE | {"size": int}]},
    "segments?": {
        "seen": int, "compared": int, "distinct": int, "cut": int, "bytes_cut": int,
        "documents_changed": int, "documents_emptied": int, "most_frequent": [_PLACE | {"count": int}],
    },
    "against?": {"dropped": int, "documents": int, "indexes": list},
    "index?": {"folder": str, "documents": int},
    "reduced?": dict,
}  # fmt: skip
"""What some runs have."""

REPORT: Shape = _DETAILS | {
    "name": str, "executor": str, "started": str, "seconds": _NUMBER, "input_bytes": int,
    "output_files": int,
    "output_bytes": int, "peak_memory_bytes": int, "books": _BOOKS, "counts": {"*": _NUMBER},
    "quarantined": [dict], "warnings": [str], "ignored": [Row((str, str))],
    "phases": [{"name": str, "seconds": _NUMBER}],
}  # fmt: skip
