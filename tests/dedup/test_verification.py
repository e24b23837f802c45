"""Settings of verification: what is possible, and what of it decides results."""

from __future__ import annotations

from typing import Any

import pytest

from gpucurate.dedup.verification import NOT_VERIFIED, Verification
from gpucurate.spec.errors import ConfigurationError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0}, "threshold=0 .*above 0 and at most 1"),
        ({"threshold": 1.2}, "threshold=1.2 .*above 0 and at most 1"),
        ({"threshold": float("nan")}, "threshold=nan"),
        ({"threshold": True}, "threshold=True"),
        ({"threshold": "0.8"}, "threshold='0.8'"),
        ({"verify": "exact"}, "verify='exact' needs a threshold"),
        ({"verify": "maybe", "threshold": 0.8}, "verify='maybe' is not known: choose none, exact, estimate"),
        ({"linkage": "chain"}, "linkage='chain' is not known: choose component, survivor"),
        ({"linkage": "survivor", "threshold": 0.8}, "give verify='exact'"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Verification(**settings)


def test_only_what_is_verified_decides_results() -> None:
    assert NOT_VERIFIED.decides() == Verification(threshold=0.8).decides() == {}
    decided = Verification("exact", 0.8, "survivor").decides()
    assert decided == {"verification": {"verify": "exact", "threshold": 0.8, "linkage": "survivor"}}
