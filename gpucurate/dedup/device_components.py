"""Equal keys to components on a device: the twin of ``gpucurate.dedup.components``.

The union-find array stays on the device for the whole call, and keys go there as many bands at a
time as there is memory for: each pass over the key files takes so many bands along. Where not even
one band fits, it is joined by ranges of its keys, a pass over the files each; a single key that more
documents share than fit needs no room at all. Neither memory nor what is on the device already
makes a difference to the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.device_budget import DeviceBudget, plan_device
from gpucurate.dedup.device_keys import Chunk, DeviceKeys, Within
from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.key_ranges import key_ranges
from gpucurate.dedup.resident_keys import ResidentKeys
from gpucurate.ops.cuda import CUDA, Device
from gpucurate.ops.grouping import check_document_count
from gpucurate.ops.union_find.cuda import flatten, hook_equal, hook_pairs

Ids = npt.NDArray[np.uint32]
Band = tuple[int, ...]
"""The words that make one key."""


def find_components_on_device(
    keys: KeySet,
    bands: Sequence[int],
    *,
    wide: bool,
    memory: int,
    device: Device = CUDA,
    resident: ResidentKeys | None = None,
) -> Ids:
    """Label every record with the smallest record of its component by some of the bands.

    Args:
        keys: of all units.
        bands: which of the keys of each document; with ``wide`` the two words of its one key.
        wide: whether keys are 128 bits.
        memory: bytes of the device that the call may use, besides what ``resident`` holds.
        device: where it runs.
        resident: keys that are on the device already.

    Returns:
        uint32[records], on the host.

    Raises:
        ConfigurationError: 2^32 records or more, or more than the memory can hold.
        StorageError: a key file is not whole.

    >>> labels = find_components_on_device(keys, range(14), wide=False, memory=60 * 10**9)
    """
    check_document_count(keys.records)
    groups = [tuple(bands)] if wide else [(band,) for band in bands]
    source = DeviceKeys(keys, device, resident)
    documents = source.documents()
    budget = plan_device(keys.records, documents, len(groups[0]), len(groups), memory)
    parents = device.xp.arange(keys.records, dtype=np.uint32)
    grouping = _DeviceGrouping(source, documents, budget, parents, device)
    if budget.capacity >= documents:
        for first in range(0, len(groups), budget.together):
            grouping.join_whole(groups[first : first + budget.together])
    else:
        for group in groups:
            grouping.join_by_ranges(group)
    flatten(parents, device)
    return device.to_host(parents)


@dataclass(frozen=True, slots=True)
class _DeviceGrouping:
    """One grouping under way.

    Attributes:
        source: of the pairs.
        documents: with keys.
        budget: of memory.
        parents: uint32[records] on the device, the union-find.
        device: where it runs.
    """

    source: DeviceKeys
    documents: int
    budget: DeviceBudget
    parents: Any
    device: Device

    def join_whole(self, groups: Sequence[Band]) -> None:
        """Join the documents that share a key, in one pass over the files."""
        bands = [band for group in groups for band in group]
        words, ids = self._gather(self.source.chunks(bands, self.budget.chunk), len(bands), self.documents)
        wide = len(groups[0])
        for first in range(0, len(bands), wide):
            hook_equal(words[first : first + wide], ids, self.parents, self.device)

    def join_by_ranges(self, band: Band, conditions: Sequence[Within] = (), pairs: int = 0) -> None:
        """Join the documents that share a key and meet all conditions, a range of its first word at a time.

        Args:
            band: words of the key.
            conditions: on the documents.
            pairs: how many meet them; 0 for all documents.
        """
        word, rest = band[0], band[1:]

        def counts(low: int, bits: int, ignored: int) -> npt.NDArray[np.int64]:
            return self.source.counts_within(word, self.budget.chunk, conditions, (low, bits, ignored))

        for part in key_ranges(pairs or self.documents, self.budget.capacity, counts):
            inside = [*conditions, Within(word, part.low, part.high)]
            if part.pairs <= self.budget.capacity:
                self._join_part(band, inside, part.pairs)
            elif rest:
                self.join_by_ranges(rest, inside, part.pairs)
            else:
                self._join_all(word, inside)

    def _join_part(self, band: Band, inside: Sequence[Within], pairs: int) -> None:
        chunks = self.source.chunks_within(band, self.budget.chunk, inside)
        words, ids = self._gather(chunks, len(band), pairs)
        hook_equal(words, ids, self.parents, self.device)

    def _join_all(self, word: int, inside: Sequence[Within]) -> None:
        """Join all documents that meet the conditions: they have one key."""
        first = None
        for _, ids in self.source.chunks_within([word], self.budget.chunk, inside):
            first = ids[:1].copy() if first is None else first
            hook_pairs(self.device.xp.repeat(first, len(ids)), ids, self.parents, self.device)

    def _gather(self, chunks: Iterable[Chunk], bands: int, pairs: int) -> tuple[Any, Any]:
        """Keys (uint64[bands, pairs]) and documents (uint32[pairs]) of chunks, in arrays of their own."""
        words = self.device.xp.empty((bands, pairs), np.uint64)
        ids, used = self.device.xp.empty(pairs, np.uint32), 0
        for chunk_words, chunk_ids in chunks:
            places = slice(used, used + len(chunk_ids))
            ids[places] = chunk_ids
            for row, column in zip(words, chunk_words, strict=True):
                row[places] = column
            used = places.stop
        return words[:, :used], ids[:used]
