"""No garbage is looked for while many objects are made that stay."""

from __future__ import annotations

import gc

import pytest

from gpucurate.memory.uncollected import uncollected


def test_nothing_is_collected_meanwhile_and_afterwards_as_before() -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled(), "whoever is around it decides"
    assert gc.isenabled()


def test_an_error_leaves_it_as_it_was() -> None:
    with pytest.raises(ValueError, match="broken"), uncollected():
        raise ValueError("broken")
    assert gc.isenabled()
