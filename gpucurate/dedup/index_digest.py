"""Whether the files of an index hold what they are called by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from gpucurate.dedup.index import Index
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors


def content_name(paths: Sequence[Path]) -> str:
    """What a pair of files, keys and origins, is called: 128 bits of BLAKE2b of both, in hexadecimal.

    Raises:
        StorageError: a file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        with storage_errors(path, "read"), path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def check_content(index: Index) -> None:
    """Read all files of an index, and hold them against the digests that they are called by.

    Raises:
        StorageError: a file cannot be read, or holds something else than when it was written.

    >>> check_content(read_index(Path("day1.index")))
    """
    for file in index.files:
        keys, origins = index.keys_path(file), index.origins_path(file)
        if content_name((keys, origins)) != file.name:
            raise StorageError(
                f"{keys}, or {origins.name} beside it, does not hold what it was written with (its name is "
                "the digest of both): the index is damaged, save it again"
            )
