"""How many examples a search for counterexamples takes: few each time, many where that was asked for."""

from __future__ import annotations

import os

from hypothesis import settings

USUAL, THOROUGH = "gpucurate", "thorough"
TIMES = 10
"""A thorough search takes so many times the examples, where a test does not say how many."""

# The first example may load a library or compile a kernel: time is the benchmarks' business.
settings.register_profile(USUAL, deadline=None)
settings.register_profile(
    THOROUGH, deadline=None, max_examples=TIMES * settings.get_profile(USUAL).max_examples
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", USUAL))


def is_thorough() -> bool:
    """Whether a thorough search was asked for (``make test-thorough``, ``HYPOTHESIS_PROFILE=thorough``)."""
    return settings.get_current_profile_name() == THOROUGH


def examples(usual: int, thorough: int | None = None) -> int:
    """How many.

    Args:
        usual: each time.
        thorough: where that was asked for; some times as many if None.
    """
    if not is_thorough():
        return usual
    return TIMES * usual if thorough is None else thorough
