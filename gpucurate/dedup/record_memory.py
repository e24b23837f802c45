"""Memory that finding clusters and their survivors takes of each record, from components on."""

from __future__ import annotations

from gpucurate.dedup.memory_needed import ARRAYS_SHARE, refuse_more
from gpucurate.dedup.policy import parse_policy
from gpucurate.dedup.verification import Verification

CHOOSING, RANKING = 16, 20
"""Bytes a record: labels, sizes, survivors, and the best length or rank so far."""

WITH_INDEX = 40
"""Bytes a record where some are of indexes: the clusters of all, and those of the new ones."""

BY_COMPONENT, BY_SURVIVOR = 24, 40
"""Bytes a record where pairs are verified: besides, similarities, and what was split off."""


def record_bytes(keep: str, verification: Verification, *, has_index: bool) -> int:
    """Bytes of arrays a record, at most.

    Args:
        keep: which member of a cluster survives.
        verification: how pairs are verified.
        has_index: whether there are indexes to hold documents against.

    Raises:
        ConfigurationError: not a policy.

    >>> record_bytes("longest", Verification(), has_index=False)
    16
    """
    found = RANKING if parse_policy(keep).is_ranked else CHOOSING
    if has_index:
        found = max(found, WITH_INDEX)
    if verification.verifies:
        found = max(found, BY_SURVIVOR if verification.linkage == "survivor" else BY_COMPONENT)
    return found


def refuse_more_records(records: int, each: int, memory: int) -> None:
    """Refuse records whose clusters do not fit, before they are looked for.

    Args:
        records: in all, those of indexes included.
        each: bytes of arrays a record.
        memory: bytes that the run may use; arrays get half of them.

    Raises:
        ConfigurationError: they do not fit.
    """
    refuse_more(
        f"finding the clusters of {records:,} records takes {each} bytes each",
        each * records,
        memory,
        ARRAYS_SHARE,
    )
