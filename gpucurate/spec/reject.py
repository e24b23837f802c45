"""Rows that could not be read, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RejectReason = Literal[
    "bad_json", "not_an_object", "invalid_utf8", "missing_text", "null_text", "wrong_type",
    "too_large", "too_deep", "encoding", "corrupt_file", "bad_parquet", "oom", "poison",
]  # fmt: skip

SNIPPET_BYTES = 200


@dataclass(frozen=True, slots=True)
class Reject:
    """One rejected row, or a whole file or the rest of one (``line`` is None).

    Attributes:
        reason: why, from a closed list.
        line: 0-based physical record, counted from the start of the *range* read; the
            run adds the records of earlier ranges before it is written out.
        offset: byte offset in the (decompressed) file; row index for Parquet.
        detail: a sentence for people.
        snippet: the first 200 bytes, for a look.
    """

    reason: RejectReason
    line: int | None
    offset: int | None
    detail: str
    snippet: bytes = b""
