"""Names derived from content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from gpucurate.spec.source import FileRange


def canonical(value: Any) -> str:
    """JSON of plain values in one fixed form: sorted keys, no white space.

    Raises:
        TypeError: a value that JSON does not have.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set | tuple):
        return sorted(value) if isinstance(value, frozenset | set) else list(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def digest(value: Any) -> str:
    """128 bits of BLAKE2b over the canonical form, hexadecimal."""
    # Names of files may hold bytes that are not UTF-8, which Python carries as surrogates.
    raw = canonical(value).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


def unit_id(plan_fingerprint: str, groups: tuple[tuple[FileRange, ...], ...]) -> str:
    """Name of a unit of work: what it reads, and the plan that reads it.

    The file's place on the machine, its position in the listing and the number of
    workers have no part in it.
    """
    ranges = [
        [r.file.name, r.file.size, r.file.etag or r.file.mtime_ns, r.start, r.stop]
        for group in groups
        for r in group
    ]
    return digest([plan_fingerprint, [len(group) for group in groups], ranges])
