"""Keys on the device are kept within a budget; the oldest are forgotten."""

from pathlib import Path

import numpy as np

from gpucurate.dedup.resident_keys import KeyPiece, ResidentKeys

A, B, C = Path("a"), Path("b"), Path("c")


def piece(documents: int) -> KeyPiece:
    """20 bytes a document."""
    return KeyPiece(np.zeros(documents, np.uint32), np.zeros((2, documents), np.uint64))


def test_the_oldest_units_are_forgotten_when_there_is_no_room():
    resident = ResidentKeys(1000)
    assert all(resident.put(path, [piece(10), piece(10)]) for path in (A, B, C))
    assert resident.get(A) is None
    assert [len(resident.get(path)) for path in (B, C)] == [2, 2]
    assert (resident.nbytes, len(resident)) == (800, 2)


def test_a_unit_that_is_larger_than_the_budget_is_not_kept():
    resident = ResidentKeys(1000)
    assert resident.put(A, [piece(10)])
    assert not resident.put(B, [piece(51)])
    assert resident.get(B) is None
    assert resident.get(A) is not None


def test_a_unit_that_was_done_again_has_its_new_keys_only():
    resident = ResidentKeys(1000)
    resident.put(A, [piece(40)])
    assert resident.put(A, [piece(50)])
    assert resident.get(A)[0].documents == 50
    assert not resident.put(A, [piece(51)])
    assert resident.get(A) is None
    assert resident.nbytes == 0


def test_what_is_dropped_frees_its_bytes():
    resident = ResidentKeys(1000)
    resident.put(A, [piece(10)])
    resident.put(B, [piece(20)])
    resident.drop(A)
    resident.drop(A)
    assert resident.nbytes == 400
    resident.clear()
    assert (resident.nbytes, len(resident)) == (0, 0)
