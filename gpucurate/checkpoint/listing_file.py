"""The input of a run on disk: one line a file, stored once.

``listing-DIGEST.jsonl.zst`` holds ``[name, path, size, mtime_ns, etag]`` for each file, in order, and
``[task N, id]`` for a task that was given in memory. The digest in the name is of the lines, so that a
listing is known by it and an interrupted change leaves the earlier one whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
import zstandard

from gpucurate.checkpoint.shape import check_shape
from gpucurate.checkpoint.store import FOLDER, Store
from gpucurate.spec.errors import StorageError
from gpucurate.spec.names import encode_name
from gpucurate.spec.source import InputFile
from gpucurate.spec.unit import Unit

_BLOCK_LINES = 8192

Facts = tuple[Any, ...]
"""Path, size, mtime_ns and entity tag of a file; of a task its id."""


@dataclass(frozen=True, slots=True)
class EncodedListing:
    """A listing as it goes to disk.

    Attributes:
        digest: of its lines, hexadecimal.
        files: how many there are.
        total_bytes: of all of them.
        content: the file.
    """

    digest: str
    files: int
    total_bytes: int
    content: bytes

    @property
    def name(self) -> str:
        """Of the file, in a store."""
        return listing_name(self.digest)


def listing_name(digest: str) -> str:
    """Where the listing of a digest lies, in a store."""
    return f"{FOLDER}/listing-{digest[:16]}.jsonl.zst"


def files_of(units: Iterable[Unit]) -> Iterator[InputFile]:
    """The files that units read, each once and in order."""
    last: InputFile | None = None
    for unit in units:
        for group in unit.groups:
            for source in group:
                if source.file is not last:
                    last = source.file
                    yield last


def encode_listing(units: Sequence[Unit]) -> EncodedListing:
    """The input of units, ready to be stored; 1,000,000 files take seconds."""
    digest = hashlib.blake2b(digest_size=16)
    packer = zstandard.ZstdCompressor(level=1, write_checksum=True).compressobj()
    packed, count, total = [], 0, 0
    for files, size, block in _blocks(units):
        count, total = count + files, total + size
        digest.update(block)
        packed.append(packer.compress(block))
    packed.append(packer.flush())
    return EncodedListing(digest.hexdigest(), count, total, b"".join(packed))


def read_listing(store: Store, name: str) -> dict[str, Facts]:
    """What a stored listing says, by encoded name.

    Raises:
        StorageError: it is not there, or damaged.
    """
    found: dict[str, Facts] = {}
    with store.open(name) as file:
        try:
            with zstandard.ZstdDecompressor().stream_reader(file) as stream:
                for line in _lines(stream):
                    key, *facts = _entry(line)
                    found[key] = tuple(facts)
        except (zstandard.ZstdError, ValueError) as error:
            raise StorageError(
                f"{name} of {store.shown} is damaged ({error}): the input of the run is not known any more. "
                "Give --fresh to begin anew, or another output"
            ) from error
    return found


def _entry(line: bytes) -> list[Any]:
    """A line of a listing.

    Raises:
        ValueError: it is none.
    """
    values = orjson.loads(line)
    check_shape(values, list)
    of_file = (str, str, int, int | None, str | None)
    kinds = of_file if len(values) == len(of_file) else (str, str)
    if len(values) != len(kinds) or not all(map(isinstance, values, kinds)):
        raise ValueError(f"{line[:60]!r} tells of no file")
    return values  # type: ignore[no-any-return]


def entries(units: Iterable[Unit]) -> Iterator[list[Any]]:
    """The lines of a listing, as values."""
    for file in files_of(units):
        yield [encode_name(file.name), encode_name(file.path), file.size, file.mtime_ns, file.etag]
    for unit in units:
        if unit.payload is not None:
            yield [f"task {unit.index}", unit.id]


def _blocks(units: Sequence[Unit]) -> Iterator[tuple[int, int, bytes]]:
    """Files, bytes of them and lines, so many at a time."""
    every = entries(units)
    while block := list(islice(every, _BLOCK_LINES)):
        sizes = [entry[2] for entry in block if len(entry) > 2]
        yield len(sizes), sum(sizes), b"\n".join(map(orjson.dumps, block)) + b"\n"


def _lines(stream: Any) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(1 << 20):
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
