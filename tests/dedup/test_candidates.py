"""Documents that share a key with another, as bits of a file a unit."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gpucurate.dedup.candidates import find_candidates, read_candidates, write_candidates
from gpucurate.spec.errors import StorageError

LABELS = np.array([0, 1, 0, 3, 4, 5, 6, 7, 8, 9, 9, 11], np.uint32)
BASES = np.array([0, 4, 8, 12], np.int64)


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file of this process may have a byte more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_units_that_have_any_get_a_file_of_them(tmp_path: Path) -> None:
    found = find_candidates(LABELS)
    assert write_candidates(tmp_path / "candidates", found, BASES) == [0, 2]
    assert np.flatnonzero(read_candidates(tmp_path / "candidates", 2)[:4]).tolist() == [1, 2]


def test_what_kept_a_file_from_being_written_is_told(tmp_path: Path, no_room: None) -> None:
    with pytest.raises(StorageError, match="File too large"):
        write_candidates(tmp_path / "candidates", find_candidates(LABELS), BASES)
