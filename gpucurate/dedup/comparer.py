"""What two documents are compared by: their sets of shingles, or their signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import Block, KeyFile, KeySet, Layout, Signatures
from gpucurate.dedup.text_store import TextSet
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.jaccard import jaccard, shared_shingles
from gpucurate.ops.minhash import MinHashParams, equal_values
from gpucurate.spec.errors import StorageError

Ids = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


class Comparer(Protocol):
    """Compares documents by id; from several threads."""

    def sizes(self, ids: Ids) -> Places:
        """Bytes that each document (uint32[n], ascending) takes in memory: int64[n]."""

    def compare(self, left: Ids, right: Ids) -> Values:
        """Similarity of ``left[i]`` and ``right[i]`` (uint32[n] each): float64[n]."""


@dataclass(frozen=True, slots=True)
class ShingleComparer:
    """The Jaccard similarity of the sets of shingles: exact.

    Attributes:
        texts: as shingles are taken of them.
        params: shingles.
    """

    texts: TextSet
    params: MinHashParams

    def sizes(self, ids: Ids) -> Places:
        """Bytes of text."""
        return self.texts.lengths(ids)

    def compare(self, left: Ids, right: Ids) -> Values:
        """See the protocol."""
        ids, left, right = _rows(left, right)
        return shingle_similarity(self.texts.gather(ids), left, right, self.params)


@dataclass(frozen=True, slots=True)
class SignatureComparer:
    """The share of equal values of two signatures: an estimate of the Jaccard similarity.

    Its standard deviation is at most ``sqrt(J (1 - J) / K)``.

    Attributes:
        keys: of all units, with signatures.
        layout: of the key files.
    """

    keys: KeySet
    layout: Layout

    def sizes(self, ids: Ids) -> Places:
        """Bytes of the signatures."""
        return np.full(len(ids), self.layout.signature_values * self.layout.signature_bytes, np.int64)

    def compare(self, left: Ids, right: Ids) -> Values:
        """See the protocol."""
        ids, left, right = _rows(left, right)
        signatures = np.empty((len(ids), self.layout.signature_values), self.layout.signature_dtype)
        gather_signatures(self.keys, ids, signatures)
        return signature_similarity(signatures, left, right)


@dataclass(frozen=True, slots=True)
class FrameComparer:
    """Documents of a frame in memory, by ``similarity`` of its rows.

    Attributes:
        similarity: of rows ``left[i]`` and ``right[i]`` (uint32[n] each): float64[n].
        bytes_each: roughly what a comparison touches of each, so that threads share the work.
    """

    similarity: Callable[[Ids, Ids], Values]
    bytes_each: Places

    def sizes(self, ids: Ids) -> Places:
        """See the protocol."""
        return self.bytes_each[ids]

    def compare(self, left: Ids, right: Ids) -> Values:
        """See the protocol."""
        return self.similarity(left, right)


def shingle_similarity(text: TextBuffers, left: Ids, right: Ids, params: MinHashParams) -> Values:
    """Jaccard similarity of the shingle sets of pairs of rows, sorted by ``left``: float64[n].

    The quotient of two whole numbers: so it reaches 0.8 where 4 of 5 are shared.
    """
    values = np.ones(len(left))
    differs = ~_equal(text, left, right)
    values[differs] = jaccard(*shared_shingles(text, left[differs], right[differs], params))
    return values


def signature_similarity(signatures: Signatures, left: Ids, right: Ids) -> Values:
    """Share of equal values of the signatures (uint[m, values]) of pairs of rows: float64[n]."""
    return np.asarray(equal_values(signatures, left, right) / signatures.shape[1], np.float64)


def _rows(left: Ids, right: Ids) -> tuple[Ids, Ids, Ids]:
    """Ids that occur, ascending, and ``left`` and ``right`` as places among them."""
    ids, rows = np.unique(np.concatenate([left, right]), return_inverse=True)
    return ids, rows[: len(left)].astype(np.uint32), rows[len(left) :].astype(np.uint32)


def _equal(text: TextBuffers, left: Ids, right: Ids) -> npt.NDArray[np.bool_]:
    """Whether two texts are the same bytes: copies, of which there may be many, need no shingles."""
    starts, lengths = text.offsets[:-1], np.diff(text.offsets)
    equal: npt.NDArray[np.bool_] = lengths[left] == lengths[right]
    for at in np.flatnonzero(equal).tolist():
        first, second, size = starts[left[at]], starts[right[at]], lengths[left[at]]
        equal[at] = np.array_equal(text.data[first : first + size], text.data[second : second + size])
    return equal


def gather_signatures(keys: KeySet, ids: Ids, out: Signatures) -> None:
    """Read the signatures of the ids (uint32[n], ascending) into ``out`` (uint[n, values]).

    Raises:
        StorageError: an id that has none.
    """
    edges = np.searchsorted(ids, keys.bases)
    for unit in np.flatnonzero(edges[1:] > edges[:-1]).tolist():
        part, path = slice(int(edges[unit]), int(edges[unit + 1])), keys.paths[unit]
        if path is None:
            raise StorageError(f"there are no keys of document {ids[part.start]:,}: its unit was set aside")
        with KeyFile(path) as file:
            _read_signatures(file, ids[part] - np.uint32(keys.bases[unit]), out[part])


def _read_signatures(file: KeyFile, records: Ids, out: Signatures) -> None:
    for block in file.blocks:
        first, stop = np.searchsorted(
            records, [block.first_record, block.first_record + block.records]
        ).tolist()
        if first < stop:
            _read_block(file, block, records[first:stop], out[first:stop])


def _read_block(file: KeyFile, block: Block, records: Ids, out: Signatures) -> None:
    """Rows of one block; neighbours are read together."""
    documents = np.empty(block.documents, np.uint32)
    file.read_ids(block, documents)
    at = np.searchsorted(documents, records)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(at) != 1) + 1, [len(at)])).tolist()
    for first, stop in pairwise(starts):
        file.read_signatures(block, int(at[first]), out[first:stop])
