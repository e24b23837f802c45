"""Keys of documents on disk: one file a unit of work, read in slices by band.

A file is a sequence of blocks, one a piece of input, then an index. A block holds, in
little-endian order and without padding:

    ids         uint32[m]          documents that have keys, counted from the start of the unit
    keys        uint64[bands][m]   band by band, so that one band is one slice
    signatures  uintW[m][values]   of 32 or 64 bits; only where pairs are to be compared by them
    lengths     uint32[records]    characters of each physical record, plus one; 0 if not accepted
    ranks       uint64[records]    of a cluster's documents the highest survives; only if asked for

and the index is JSON, followed by its length (uint64) and the magic number. What a document
that was rejected, or a blank line, has in ``lengths`` tells it from an accepted empty text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt
import orjson

from gpucurate.disk.crash import reach
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors
from gpucurate.tasks.finished import Sync, sync_now

MAGIC = b"GCKEYS02"
LENGTH_CEILING = 2**32 - 2


Signatures = npt.NDArray[np.uint32] | npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Layout:
    """What each block of a key file holds.

    Attributes:
        bands: keys a document.
        signature_values: values of a document's signature; 0 where none are kept.
        signature_bytes: of one value, 4 or 8.
        ranks: whether each record has a rank.
    """

    bands: int
    signature_values: int = 0
    signature_bytes: int = 4
    ranks: bool = False

    @property
    def document_bytes(self) -> int:
        """Of a document with keys, before the signatures."""
        return 4 + 8 * self.bands

    @property
    def signature_dtype(self) -> np.dtype[np.unsignedinteger]:
        """Of the values of a signature."""
        return np.dtype(np.uint64 if self.signature_bytes == 8 else np.uint32)


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block lies, and what it holds.

    Attributes:
        offset: first byte in the file.
        first_record: physical records of the unit before the block.
        records: physical records in it.
        documents: documents with keys, m.
    """

    offset: int
    first_record: int
    records: int
    documents: int


class KeyFileWriter:
    """Writes the keys of one unit.

    Args:
        path: of the file, which is made or replaced.
        layout: what each block holds.

    Raises:
        StorageError: not possible.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self.records = 0
        self._blocks: list[Block] = []
        self._offset = 0
        with storage_errors(path):
            self._file: BinaryIO = path.open("wb", buffering=1 << 20)
        reach("keys.after_open")

    def append(
        self,
        records: int,
        ids: npt.NDArray[np.uint32],
        keys: npt.NDArray[np.uint64],
        lengths: npt.NDArray[np.uint32],
        *,
        signatures: Signatures | None = None,
        ranks: npt.NDArray[np.uint64] | None = None,
    ) -> None:
        """Add a piece.

        Args:
            records: physical records in the piece.
            ids: uint32[m], records with keys, counted from the start of the piece.
            keys: uint64[m, bands].
            lengths: uint32[records], characters plus one; 0 if not accepted.
            signatures: uint32 or uint64[m, values], if the layout has them.
            ranks: uint64[records], if the layout has them.

        Raises:
            ValueError: what the layout has is not given, or what it has not is.
        """
        if (signatures is not None) != bool(self.layout.signature_values) or (
            ranks is not None
        ) != self.layout.ranks:
            raise ValueError(f"a block of {self.layout} was given other sections")
        block = Block(self._offset, self.records, records, len(ids))
        self._blocks.append(block)
        self._write(ids + np.uint32(self.records))
        self._write(np.ascontiguousarray(keys.T))
        if signatures is not None:
            self._write(np.ascontiguousarray(signatures, self.layout.signature_dtype))
        self._write(lengths)
        if ranks is not None:
            self._write(ranks)
        self.records += records

    def _write(self, array: npt.NDArray[np.unsignedinteger]) -> None:
        with storage_errors(self.path):
            self._file.write(array.data.cast("B") if array.size else b"")
        self._offset += array.nbytes

    def close(self, sync: Sync = sync_now) -> int:
        """Write the index, have it synced and closed; bytes of the file."""
        index = orjson.dumps(
            {
                "layout": asdict(self.layout),
                "records": self.records,
                "blocks": [asdict(b) for b in self._blocks],
            }
        )
        reach("keys.before_index")
        with storage_errors(self.path):
            self._file.write(index + len(index).to_bytes(8, "little") + MAGIC)
            self._file.flush()
        sync(self._file, self.path)
        return self._offset + len(index) + 16

    def abandon(self) -> None:
        """Close without an index."""
        with suppress(OSError):  # a full disk is full still; the error that led here is the one to see
            self._file.close()


class KeyFile:
    """Reads the keys of one unit.

    Args:
        path: as :class:`KeyFileWriter` wrote it.

    Raises:
        StorageError: not a whole key file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path, "read"):
            self._file = path.open("rb", buffering=0)
        try:
            with storage_errors(path, "read"):
                index = self._index()
            self.layout = Layout(**index["layout"])
            self.records: int = index["records"]
            self.blocks = [Block(**values) for values in index["blocks"]]
        except (ValueError, KeyError, TypeError) as error:
            self._file.close()
            raise StorageError(f"{path} is not a whole key file: its index is damaged") from error
        except StorageError:
            self._file.close()
            raise

    def _index(self) -> dict[str, Any]:
        file = self._file.fileno()
        size = os.fstat(file).st_size
        tail = os.pread(file, 16, max(0, size - 16))
        length = int.from_bytes(tail[:8], "little")
        if tail[8:] != MAGIC or length > size - 16:
            raise StorageError(f"{self.path} is not a whole key file")
        index: dict[str, Any] = orjson.loads(os.pread(file, length, size - 16 - length))
        return index

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def documents(self) -> int:
        """Documents with keys."""
        return sum(block.documents for block in self.blocks)

    def read_ids(self, block: Block, out: npt.NDArray[np.uint32], first: int = 0) -> None:
        """Ids of documents ``first ..`` of a block into ``out`` (uint32[count])."""
        self._read(out, block.offset + 4 * first)

    def read_keys(self, block: Block, band: int, out: npt.NDArray[np.uint64], first: int = 0) -> None:
        """Keys of one band of documents ``first ..`` of a block into ``out`` (uint64[count])."""
        self._read(out, block.offset + block.documents * (4 + 8 * band) + 8 * first)

    def read_signatures(self, block: Block, first: int, out: Signatures) -> None:
        """Signatures of documents ``first ..`` of a block into ``out`` (uint[count, values])."""
        row = self.layout.signature_values * self.layout.signature_bytes
        self._read(out, block.offset + block.documents * self.layout.document_bytes + first * row)

    def lengths(self) -> Iterator[tuple[int, npt.NDArray[np.uint32]]]:
        """First record and lengths (uint32) of each block, in order."""
        for block in self.blocks:
            out = np.empty(block.records, np.uint32)
            self._read(out, self._records_at(block))
            yield block.first_record, out

    def ranks(self) -> Iterator[tuple[int, npt.NDArray[np.uint64]]]:
        """First record and ranks (uint64) of each block, in order."""
        for block in self.blocks:
            out = np.empty(block.records, np.uint64)
            self._read(out, self._records_at(block) + 4 * block.records)
            yield block.first_record, out

    def _records_at(self, block: Block) -> int:
        row = self.layout.document_bytes + self.layout.signature_values * self.layout.signature_bytes
        return block.offset + block.documents * row

    def _read(self, out: npt.NDArray[np.unsignedinteger], offset: int) -> None:
        if not out.size:
            return
        view, done = out.data.cast("B"), 0
        while done < len(view):
            with storage_errors(self.path, "read"):
                count = os.preadv(self._file.fileno(), [view[done : done + (1 << 30)]], offset + done)
            if not count:
                raise StorageError(f"{self.path} ends early: it was changed while the run went on")
            done += count


@dataclass(frozen=True, slots=True)
class KeySet:
    """The key files of all units, in order of the listing, and the ids that they stand for.

    Attributes:
        paths: one a unit; None for a unit that could not be read.
        bases: id of each unit's first record, and the number of records at the end;
            int64[len(paths) + 1].
    """

    paths: Sequence[Path | None]
    bases: npt.NDArray[np.int64]

    @property
    def records(self) -> int:
        """Physical records of the whole input."""
        return int(self.bases[-1])

    def files(self) -> Iterator[tuple[int, KeyFile]]:
        """(id of the first record, open file) of each unit."""
        for path, base in zip(self.paths, self.bases, strict=False):
            if path is not None:
                with KeyFile(path) as file:
                    yield int(base), file
