"""Whether a threshold of similarity chooses bands and rows."""

from __future__ import annotations

from typing import Any

from gpucurate.dedup.banding import PERMUTATIONS, Banding, band_for
from gpucurate.dedup.verification import Verification
from gpucurate.spec.errors import ConfigurationError


def banded(
    given: dict[str, Any], has_preset: bool, permutations: int | None, verification: Verification
) -> tuple[Banding | None, dict[str, Any]]:
    """Have a threshold choose bands and rows, unless they are given.

    Args:
        given: fields of ``MinHashParams``; None for the preset's.
        has_preset: whether one was named: where pairs are verified, its bands count as given.
        permutations: that a threshold may share out.
        verification: settings.

    Returns:
        What was chosen, if anything, and the fields with it.

    Raises:
        ConfigurationError: a threshold or permutations that would do nothing.
    """
    has_bands = given["bands"] is not None or given["rows"] is not None
    if verification.threshold is None or (verification.verifies and (has_bands or has_preset)):
        if permutations is not None:
            raise ConfigurationError(
                f"permutations={permutations} are shared out where a threshold chooses bands and rows: "
                "give a threshold and neither bands, rows nor, with verify, a preset"
            )
        return None, given
    if has_bands:
        raise ConfigurationError(
            f"threshold={verification.threshold} chooses bands and rows, but they are given: give one of "
            "the two, or verify='exact' to discard pairs below the threshold"
        )
    wanted = PERMUTATIONS if permutations is None else permutations
    chosen = band_for(verification.threshold, wanted, verifies=verification.verifies)
    return chosen, {**given, "bands": chosen.bands, "rows": chosen.rows}
