"""What a class of input is: files, and what is expected of them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SOME = -1


@dataclass(frozen=True)
class BadFile:
    """A file beside good ones.

    Attributes:
        number: of its class, as in docs/input.md.
        name: what it is called.
        content: its bytes.
        kept: documents of it that are kept; ``SOME`` where the codec decides how many.
        rejects: documents, or the file, that are rejected, by reason.
        says: what the detail of each reject holds.
        prints: what the summary says of it.
        is_copied: whether its records stand in the output byte for byte.
    """

    number: int
    name: str
    content: bytes
    kept: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    says: str = ""
    prints: str = ""
    is_copied: bool = False

    @property
    def is_broken(self) -> bool:
        """Whether ``--on-corrupt fail`` ends the run."""
        return bool({"corrupt_file", "encoding", "bad_parquet"} & self.rejects.keys())


def lines(*records: Any) -> bytes:
    """JSON lines; bytes are taken as they are."""
    return b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)


def texts(prefix: str, count: int) -> bytes:
    return lines(*({"text": f"{prefix} {i}"} for i in range(count)))


def jsonl(number: int, *content: Any, **expected: Any) -> BadFile:
    """A class of JSON lines: records, or bytes of lines."""
    return BadFile(number, "late.jsonl", lines(*content), **expected)


def raw(number: int, content: bytes, **expected: Any) -> BadFile:
    """A class of JSON lines by its very bytes."""
    return BadFile(number, "late.jsonl", content, **expected)


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def text_as(kind: pa.DataType, values: list[Any]) -> bytes:
    return parquet({"text": pa.array(values, kind), "other": pa.array(values, kind)})
