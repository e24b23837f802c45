"""Keys on the device are kept within a budget; the oldest are forgotten."""

from pathlib import Path

import numpy as np

from gpucurate.dedup.resident_keys import KeyPiece, ResidentKeys

A, B, C = Path("a"), Path("b"), Path("c")


def piece(documents: int) -> KeyPiece:
    """1280 bytes for each 64 documents, in multiples of the pool's 256."""
    return KeyPiece(np.zeros(64 * documents, np.uint32), np.zeros((2, 64 * documents), np.uint64))


def test_an_array_takes_what_the_pool_gives_for_it():
    keys = KeyPiece(np.zeros(1, np.uint32), np.zeros((16, 3), np.uint64))
    assert keys.nbytes == 256 + 512


def test_the_oldest_units_are_forgotten_when_there_is_no_room():
    resident = ResidentKeys(64_000)
    assert all(resident.put(path, [piece(10), piece(10)]) for path in (A, B, C))
    assert resident.get(A) is None
    assert [len(resident.get(path)) for path in (B, C)] == [2, 2]
    assert (resident.nbytes, len(resident)) == (2 * 2 * 10 * 1280, 2)


def test_a_unit_that_is_larger_than_the_budget_is_not_kept():
    resident = ResidentKeys(64_000)
    assert resident.put(A, [piece(10)])
    assert not resident.put(B, [piece(51)])
    assert resident.get(B) is None
    assert resident.get(A) is not None


def test_a_unit_that_was_done_again_has_its_new_keys_only():
    resident = ResidentKeys(64_000)
    resident.put(A, [piece(40)])
    assert resident.put(A, [piece(50)])
    assert resident.get(A)[0].documents == 64 * 50
    assert not resident.put(A, [piece(51)])
    assert resident.get(A) is None
    assert resident.nbytes == 0


def test_what_is_dropped_frees_its_bytes():
    resident = ResidentKeys(64_000)
    resident.put(A, [piece(10)])
    resident.put(B, [piece(20)])
    resident.drop(A)
    resident.drop(A)
    assert resident.nbytes == 20 * 1280
    resident.clear()
    assert (resident.nbytes, len(resident)) == (0, 0)
