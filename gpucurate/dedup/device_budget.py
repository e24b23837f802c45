"""How grouping on a device spends the device's memory."""

from __future__ import annotations

from dataclasses import dataclass

from gpucurate.dedup.memory_needed import refuse_more
from gpucurate.ops.union_find.cuda import HOOK_EQUAL_BYTES
from gpucurate.spec.bytesize import format_bytes

PARENT_BYTES = 4
"""Of each record, for the whole call."""

ID_BYTES, WORD_BYTES = 4, 8

STAGING_BYTES = 64 << 20
"""For what is on its way to where pairs are gathered: transfers of this size reach full speed."""

SELECTING_BYTES = 64
"""Bytes a pair of a chunk, of which those of a range of keys are taken: keys of two words and the id (20),
what is compared (3), the places (16), what is taken of it (20); counting takes as much."""

COUNTING_BYTES = 3 << 19
"""Counts of the parts of a range of keys: of all chunks, of one, and what their sum takes."""

LEAST_PAIRS = 1 << 16
"""Less than so many pairs at a time cost more in passes over the files than they save in memory."""


@dataclass(frozen=True, slots=True)
class DeviceBudget:
    """How the memory is spent.

    Attributes:
        capacity: pairs that are joined at a time.
        together: keys of each document that one pass over the files takes to the device.
        chunk: documents on their way at a time.
    """

    capacity: int
    together: int
    chunk: int


def plan_device(records: int, documents: int, words: int, groups: int, memory: int) -> DeviceBudget:
    """Spend the memory: as many whole bands a pass over the files as fit, else parts of one.

    Args:
        records: physical records, of which each has a parent.
        documents: of them with keys.
        words: 64-bit words a key.
        groups: keys a document.
        memory: bytes of the device.

    Raises:
        ConfigurationError: less than the parents and the smallest part of a band take.

    >>> plan_device(records=10**9, documents=10**9, words=1, groups=14, memory=60 * 10**9)
    DeviceBudget(capacity=1000000000, together=4, chunk=1864135)
    """
    whole = max(1, documents)
    least = min(whole, LEAST_PAIRS)
    held, keys = PARENT_BYTES * records, WORD_BYTES * words
    joining = ID_BYTES + keys + HOOK_EQUAL_BYTES
    smallest = least * (joining + SELECTING_BYTES) + COUNTING_BYTES
    refuse_more(
        f"grouping {records:,} records takes {format_bytes(held)} of a GPU, {PARENT_BYTES} bytes each, and "
        f"at least {format_bytes(smallest)} to sort keys in",
        held + smallest,
        memory,
        option="gpu_memory",
    )
    free = memory - held - COUNTING_BYTES
    staging = min(STAGING_BYTES, max(least * SELECTING_BYTES, free // 8))
    spare = free - staging
    if spare >= whole * joining:
        together = min(groups, 1 + (spare - whole * joining) // (whole * keys))
        return DeviceBudget(whole, together, max(1, staging // (ID_BYTES + keys * together)))
    return DeviceBudget(spare // joining, 1, staging // SELECTING_BYTES)
