"""Sorting of (key, id) pairs by key: stable, in memory of the caller."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.dispatch import implementation
from gpucurate.spec.errors import ConfigurationError

MAX_DOCUMENTS = 2**32
"""Ids are uint32: this many documents, and no more, go into one run of deduplication."""

Keys = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]


def check_document_count(count: int) -> None:
    """Refuse more documents than ids can tell apart.

    Raises:
        ConfigurationError: ``count`` is 2^32 or more.
    """
    if count >= MAX_DOCUMENTS:
        raise ConfigurationError(
            f"{count:,} documents in one deduplication, but ids hold fewer than {MAX_DOCUMENTS:,}: "
            "deduplicate parts of the corpus one after the other"
        )


def sort_pairs(keys: Keys, ids: Ids, keys_scratch: Keys, ids_scratch: Ids) -> tuple[Keys, Ids]:
    """Sort pairs by key; equal keys keep their order.

    Radix sort by bytes from the least significant (D. Knuth, TAOCP 3, 5.2.5), without the
    bytes in which all keys agree.

    Args:
        keys: uint64 of length n; overwritten.
        ids: uint32 of length n; overwritten.
        keys_scratch: uint64 of length n or more; overwritten.
        ids_scratch: uint32 of length n or more; overwritten.

    Returns:
        The sorted keys and ids: either ``keys`` and ``ids``, or the first n entries of the scratch arrays.

    Raises:
        ValueError: lengths do not fit.
    """
    if not len(keys) == len(ids) <= min(len(keys_scratch), len(ids_scratch)):
        raise ValueError(
            f"sort_pairs: {len(keys)} keys, {len(ids)} ids, scratch of {len(keys_scratch)} and "
            f"{len(ids_scratch)}: keys and ids have one length n, scratch at least n"
        )
    n = len(keys)
    found = implementation(__package__, keys).sort_pairs(keys, ids, keys_scratch[:n], ids_scratch[:n])
    sorted_keys, sorted_ids = found
    return sorted_keys, sorted_ids


def sort_hashes(hashes: Keys, ids: Ids) -> tuple[Keys, Keys, Ids]:
    """Sort 128-bit hashes with their ids, by first word, then second; equal hashes keep their order.

    Args:
        hashes: uint64 of shape (n, 2).
        ids: uint32 of length n.

    Returns:
        First words, second words and ids, each of length n, in new arrays.

    Raises:
        ConfigurationError: 2^32 hashes or more.
    """
    check_document_count(len(hashes))
    high, low, sorted_ids = implementation(__package__, hashes).sort_hashes(hashes, ids)
    return high, low, sorted_ids
