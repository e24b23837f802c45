"""Which files of an input an id generator read together, and which ids their documents have."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gpucurate.spec.errors import InputError
from gpucurate.spec.names import encode_name
from gpucurate.spec.source import InputFile
from gpucurate.stages.deduplication.id_generator import IdGeneratorBase


@dataclass(frozen=True, slots=True)
class IdBatch:
    """Files that were read together.

    Attributes:
        files: in the order in which they were read.
        first_id: of the first document.
        last_id: of the last one.
    """

    files: tuple[InputFile, ...]
    first_id: int
    last_id: int

    @property
    def count(self) -> int:
        """Documents of the files."""
        return self.last_id - self.first_id + 1


def match_batches(generator: IdGeneratorBase, files: Sequence[InputFile]) -> list[IdBatch]:
    """The batches that a generator made of ``files``, by first id.

    NeMo Curator makes batches of files that follow each other by path, or by size and path where it
    was given a block size. Keys say nothing of what they were made of, so both orders are tried.

    Raises:
        InputError: some file is in no batch.
    """
    by_path = sorted(files, key=lambda file: file.path)
    orders = (by_path, sorted(by_path, key=lambda file: file.size))
    tries = [_batches(generator.batch_registry, order) for order in orders]
    for batches in tries:
        if sum(len(batch.files) for batch in batches) == len(files):
            return sorted(batches, key=lambda batch: batch.first_id)
    known = {file.path for batch in tries[0] for file in batch.files}
    stranger = next(file.path for file in by_path if file.path not in known)
    raise InputError(
        f"the id generator knows no batch of files that begins with {encode_name(stranger)}: "
        "give the input that it was made of, by the same absolute paths, and no file more or less"
    )


def _batches(registry: Mapping[str, tuple[int, int]], files: Sequence[InputFile]) -> list[IdBatch]:
    """Batches of consecutive files, up to the first that is in none."""
    found: list[IdBatch] = []
    at = 0
    while at < len(files):
        for count, key in enumerate(_keys(files[at:]), 1):
            if key in registry:
                found.append(IdBatch(tuple(files[at : at + count]), *registry[key]))
                at += count
                break
        else:
            break
    return found


def _keys(files: Sequence[InputFile]) -> Iterator[str]:
    """The keys of the first file, the first two, the first three, ...: a UUID is a SHA-1 that can grow."""
    digest = hashlib.sha1(uuid.NAMESPACE_URL.bytes, usedforsecurity=False)
    for number, file in enumerate(files):
        digest.update((";" if number else "").encode() + os.fsencode(file.path))
        yield str(uuid.UUID(bytes=digest.digest()[:16], version=5))
