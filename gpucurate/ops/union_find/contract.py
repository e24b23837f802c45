"""Union-find over documents: definitions.

``parents`` holds one uint32 a document. The root of a component is its smallest document, because
of two roots the larger is hooked under the smaller; so the result does not depend on the order
in which documents are joined. Paths are halved on the way (R. Tarjan and J. van
Leeuwen, "Worst-case analysis of set union algorithms", JACM 31(2), 1984).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.dispatch import implementation
from gpucurate.ops.grouping import check_document_count

Keys = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]


def new_parents(count: int) -> Ids:
    """Parents of ``count`` documents, each a component of its own.

    Raises:
        ConfigurationError: 2^32 documents or more.
    """
    check_document_count(count)
    return np.arange(count, dtype=np.uint32)


def hook_runs(keys: Keys, ids: Ids, parents: Ids) -> int:
    """Join the documents of each run of equal keys.

    Args:
        keys: uint64 of length n, equal keys adjacent (``sort_pairs``).
        ids: uint32 of length n, the document of each key.
        parents: uint32, one entry a document; updated.

    Returns:
        How many joins united two components.

    Raises:
        ValueError: lengths do not fit, or an id has no entry in ``parents``.
    """
    _check(parents, keys, ids)
    return int(implementation(__package__, parents).hook_runs(keys, ids, parents))


def hook_runs128(high: Keys, low: Keys, ids: Ids, parents: Ids) -> int:
    """Join the documents of each run of equal 128-bit keys; as ``hook_runs``.

    Args:
        high: uint64 of length n, first words; equal keys adjacent (``sort_hashes``).
        low: uint64 of length n, second words.
        ids: uint32 of length n.
        parents: uint32, one entry a document; updated.
    """
    _check(parents, high, low, ids)
    return int(implementation(__package__, parents).hook_runs128(high, low, ids, parents))


def hook_pairs(left: Ids, right: Ids, parents: Ids) -> int:
    """Join ``left[i]`` with ``right[i]`` for each i; as ``hook_runs``."""
    _check(parents, right, left)
    _check(parents, right)
    return int(implementation(__package__, parents).hook_pairs(left, right, parents))


def flatten(parents: Ids) -> None:
    """Point every document straight at its root, the smallest document of its component."""
    implementation(__package__, parents).flatten(parents)


def _check(parents: Ids, *columns: npt.NDArray[np.unsignedinteger]) -> None:
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise ValueError(f"columns of lengths {sorted(lengths)}: all must have one length")
    ids = columns[-1]
    if len(ids) and int(ids.max()) >= len(parents):
        raise ValueError(f"document {int(ids.max())} has no entry among {len(parents)} parents")
