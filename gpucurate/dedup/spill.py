"""Sorted runs of keys on disk, read back by parts of the key space.

What does not fit in memory is sorted chunk by chunk and written, one run after the other; then
parts of the key space, each of which fits, are gathered from all runs (D. Knuth, TAOCP 3, 5.4:
external sorting, with the merge replaced by another sort in memory). Where a part begins is taken
from the runs themselves, so that parts fit whatever the distribution of keys is.

The file is unlinked as soon as it is open: however the process ends, the disk gets its bytes back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gpucurate.disk.crash import reach
from gpucurate.disk.files import open_private
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors

Words = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]

_SAMPLES = 4
"""Samples that a part could hold of each run: two of them may be misjudged."""


def least_capacity(pairs: int) -> int:
    """Pairs that a part must be able to hold, so that one level of runs is enough.

    With capacity C there are up to ``2n / C`` runs, of which samples are kept: ``8 n^2 / C^2`` keys,
    which from here on are fewer than C.
    """
    return int(4 * float(pairs) ** (2 / 3)) + 4


@dataclass(frozen=True, slots=True)
class _Run:
    """Where a run lies in the file, and every ``step``-th of its keys: uint64[words, samples]."""

    offset: int
    pairs: int
    samples: Words


class SortedRuns:
    """A scratch file of sorted (key, id) pairs.

    Args:
        path: of the file; its name is gone as soon as it is open.
        words: 64-bit words a key, compared from the first on.
        pairs: the most that will be appended.
        capacity: pairs that a part may hold; at least ``least_capacity(pairs)``.

    Raises:
        StorageError: not possible.

    >>> with SortedRuns(scratch / "band", words=1, pairs=10**9, capacity=10**8) as runs:
    ...     runs.append(sorted_keys, ids)
    ...     for part in runs.parts():
    ...         count = runs.load(part, words, ids)
    """

    def __init__(self, path: Path, *, words: int, pairs: int, capacity: int) -> None:
        self.path = path
        self._words = words
        self._capacity = capacity
        most_runs = 2 * pairs // capacity + 2
        self._step = max(1, capacity // (_SAMPLES * most_runs))
        self._runs: list[_Run] = []
        self._end = 0
        with storage_errors(path):
            self._file = open_private(path, "w+b", 0)
            reach("spill.before_unlink")
            path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._runs)

    def append(self, words: Words, ids: Ids) -> None:
        """Add a run.

        Args:
            words: uint64[words, n], ascending; each key once; more than half the capacity unless it
                is the last run.
            ids: uint32[n].

        Raises:
            StorageError: disk full, device error.
        """
        reach("spill.before_run")
        self._runs.append(_Run(self._end, len(ids), words[:, :: self._step].copy()))
        for column in (*words, ids):
            self._write(column)
        reach("spill.after_run")

    def parts(self) -> Iterator[Sequence[tuple[int, int]]]:
        """Parts that fit, in order of keys: of each run the (first, stop) of its pairs."""
        first = [0] * len(self._runs)
        for key in self._boundaries().T:
            stop = [self._position(run, key) for run in self._runs]
            if stop != first:
                yield list(zip(first, stop, strict=True))
                first = stop
        yield list(zip(first, [run.pairs for run in self._runs], strict=True))

    def load(self, part: Sequence[tuple[int, int]], words: Words, ids: Ids) -> int:
        """Read a part, run by run, to the beginning of ``words`` (uint64[words, n]) and ``ids`` (uint32[n]).

        Returns:
            How many pairs it has.

        Raises:
            StorageError: not possible.
        """
        used = 0
        for run, (first, stop) in zip(self._runs, part, strict=True):
            to = slice(used, used + stop - first)
            self._read_words(run, first, words[:, to])
            self._read(ids[to], run.offset + 8 * self._words * run.pairs + 4 * first)
            used = to.stop
        reach("spill.after_load")
        return used

    def _boundaries(self) -> Words:
        """First keys of all parts but the first: uint64[words, parts - 1].

        Each sample stands for up to ``step`` pairs from it on. A part from one boundary to the next
        has ``every`` samples, one more a run of those that equal its first key, and before its
        first sample less than ``step`` pairs of each run.
        """
        samples = np.concatenate([run.samples for run in self._runs], axis=1)
        every = max(1, self._capacity // self._step - 2 * len(self._runs))
        return samples[:, np.lexsort(samples[::-1])[every::every]]

    def _position(self, run: _Run, key: Words) -> int:
        """Pairs of a run whose key is smaller."""
        after = lower_bound(run.samples, key)
        first = max(0, after - 1) * self._step
        block = np.empty((self._words, min(self._step, run.pairs - first)), np.uint64)
        self._read_words(run, first, block)
        return first + lower_bound(block, key)

    def _read_words(self, run: _Run, first: int, out: Words) -> None:
        for row, column in enumerate(out):
            self._read(column, run.offset + 8 * (row * run.pairs + first))

    def _write(self, array: npt.NDArray[Any]) -> None:
        view = array.data.cast("B") if array.size else memoryview(b"")
        with storage_errors(self.path):
            while len(view):
                written = os.pwrite(self._file.fileno(), view[: 1 << 30], self._end)
                self._end += written
                view = view[written:]

    def _read(self, out: npt.NDArray[Any], offset: int) -> None:
        view = out.data.cast("B") if out.size else memoryview(b"")
        while len(view):
            with storage_errors(self.path, "read"):
                count = os.preadv(self._file.fileno(), [view[: 1 << 30]], offset)
            if not count:
                raise StorageError(f"{self.path} ends early: another process has changed it")
            view, offset = view[count:], offset + count


def lower_bound(words: Words, key: Words) -> int:
    """How many of the ascending keys (uint64[words, n]) are smaller than ``key`` (uint64[words])."""
    first, stop = 0, words.shape[1]
    for row, word in zip(words, key, strict=True):
        inside = row[first:stop]
        first, stop = first + int(inside.searchsorted(word)), first + int(inside.searchsorted(word, "right"))
    return first
