"""Equal keys to components: no edge list, no pairs, within a budget of memory.

For each band the (key, document) pairs are sorted and each run of equal keys is hooked to
its smallest document in a union-find array that lives for the whole run, 4 bytes a document.
A band that does not fit the budget goes through a scratch file, in which it is ordered by the top bits of
its keys: its key files are read once, and what is left of the pairs is written and read once. The result
depends neither on the budget nor on the order in which bands end.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.memory_needed import refuse_more
from gpucurate.dedup.pair_sort import PAIR_BYTES
from gpucurate.dedup.saved_forest import SavedForest
from gpucurate.dedup.spill import SortedRuns, least_capacity
from gpucurate.dedup.spill_buffer import PairBuffer
from gpucurate.disk.crash import reach
from gpucurate.ops.union_find import flatten, hook_runs, hook_runs128, new_parents
from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.storage import storage_errors

Ids = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]

PARENT_BYTES = 4
"""Of each record, for the whole run."""

LEAST_PAIRS = 1 << 14
"""Less than so many pairs at a time cost more in calls than they save in memory."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How the memory is spent.

    Attributes:
        capacity: pairs that each band holds at a time.
        threads: bands at a time.
    """

    capacity: int
    threads: int


def find_components(
    keys: KeySet,
    bands: int,
    *,
    wide: bool,
    memory: int,
    threads: int,
    scratch: Path,
    share: int = 1,
    saved: SavedForest | None = None,
) -> Ids:
    """Label every record with the smallest record of its component.

    Args:
        keys: of all units.
        bands: keys a document; with ``wide`` the two words of one key.
        wide: whether keys are 128 bits.
        memory: bytes that the run may use.
        threads: bands at a time, at most.
        scratch: folder for what does not fit; made if needed, and left empty.
        share: grouping takes one part in so many of the memory, the result included.
        saved: where it is saved now and then, and taken up again.

    Returns:
        uint32[records].

    Raises:
        ConfigurationError: 2^32 records or more, or more than the memory can hold.
        StorageError: a key file is not whole, or the scratch folder cannot take what does not fit.
    """
    groups = [[0, 1]] if wide else [[band] for band in range(bands)]
    documents = sum(file.documents for _, file in keys.files())
    budget = plan_budget(
        keys.records, documents, len(groups[0]), memory, min(threads, len(groups)), share=share
    )
    with storage_errors(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
    reach("group.before_bands")
    parents, joined = (saved.load(keys.records) if saved else None) or (new_parents(keys.records), set())
    grouping = _Grouping(keys, documents, budget.capacity, parents, scratch)
    with ThreadPoolExecutor(budget.threads) as pool:
        jobs = {pool.submit(grouping.join, group): group[0] for group in groups if group[0] not in joined}
        try:
            for job in as_completed(jobs):
                job.result()
                joined.add(jobs[job])
                if saved is not None and saved.is_due(is_last=len(joined) == len(groups)):
                    grouping.save(saved, joined)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    reach("group.before_merge")
    flatten(grouping.parents)
    return grouping.parents


def plan_budget(
    records: int, documents: int, words: int, memory: int, threads: int, *, share: int = 1
) -> Budget:
    """Spend the memory: one band at a time if a whole one fits, else parts of several.

    Args:
        records: physical records, of which each has a parent.
        documents: of them with keys.
        words: 64-bit words a key.
        memory: bytes that the run may use.
        threads: bands at a time, at most.
        share: grouping takes one part in so many of the memory.

    Raises:
        ConfigurationError: less than one entry a record and the smallest part of a band.
    """
    whole = max(1, documents)
    least = min(whole, max(LEAST_PAIRS, least_capacity(documents)))
    held, sorting = PARENT_BYTES * records, least * PAIR_BYTES[words]
    refuse_more(
        f"grouping {records:,} records takes {format_bytes(held)}, {PARENT_BYTES} bytes each, and at least "
        f"{format_bytes(sorting)} to sort keys in",
        held + sorting,
        memory,
        share,
    )
    spare = (memory // share - held) // PAIR_BYTES[words]
    if spare >= whole:
        return Budget(whole, 1)
    together = max(1, min(threads, spare // least))
    return Budget(min(whole, spare // together), together)


@dataclass(frozen=True, slots=True)
class _Grouping:
    """One grouping under way.

    Attributes:
        keys: of all units.
        documents: with keys.
        capacity: pairs in memory, a band.
        parents: uint32[records], the union-find; guarded by ``lock``.
        scratch: folder.
    """

    keys: KeySet
    documents: int
    capacity: int
    parents: Ids
    scratch: Path
    lock: threading.Lock = field(default_factory=threading.Lock)

    def join(self, group: Sequence[int]) -> None:
        """Join the documents that share the key that these words make."""
        path = self.scratch / f"band-{group[0]}"
        with SortedRuns(path, words=len(group), pairs=self.documents, capacity=self.capacity) as runs:
            reach("band.after_open")
            buffer = PairBuffer(self.capacity, len(group), self._hook, runs)
            self._fill(buffer, group)
            reach("band.after_fill")
            buffer.finish()
            reach("band.after_join")

    def save(self, saved: SavedForest, joined: set[int]) -> None:
        """Save what is joined; no band goes on meanwhile."""
        with self.lock:
            saved.save(self.parents, joined)

    def _fill(self, buffer: PairBuffer, group: Sequence[int]) -> None:
        for base, file in self.keys.files():
            for block in file.blocks:
                done = 0
                while done < block.documents:
                    words, ids = buffer.room(block.documents - done)
                    for column, band in zip(words, group, strict=True):
                        file.read_keys(block, band, column, done)
                    file.read_ids(block, ids, done)
                    ids += np.uint32(base)
                    done += len(ids)

    def _hook(self, words: Sequence[Words], ids: Ids) -> None:
        with self.lock:
            if len(words) == 1:
                hook_runs(words[0], ids, self.parents)
            else:
                hook_runs128(words[0], words[1], ids, self.parents)
