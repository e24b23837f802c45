"""How pairs are verified, and what of a cluster stays together: settings that decide results."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from gpucurate.spec.errors import ConfigurationError

Verify = Literal["none", "exact", "estimate"]
Linkage = Literal["component", "survivor"]

ROUNDS = 16
"""Leaders that the documents of one key are compared with, one after the other."""


@dataclass(frozen=True, slots=True)
class Verification:
    """How pairs of documents that share a key are verified.

    Attributes:
        verify: ``none``: a shared key joins two documents. ``exact``: the Jaccard similarity of their
            sets of shingles must reach the threshold. ``estimate``: the share of equal values of their
            signatures must.
        threshold: of similarity, above 0 and at most 1; given unless ``verify`` is ``none``.
        linkage: ``component``: a cluster is what accepted pairs connect. ``survivor``: of that,
            only what reaches the threshold with the survivor stays; the others cluster again.

    Raises:
        ConfigurationError: a value that there is not, or values that contradict each other.
    """

    verify: Verify = "none"
    threshold: float | None = None
    linkage: Linkage = "component"

    def __post_init__(self) -> None:
        _check_choice("verify", self.verify, get_args(Verify))
        _check_choice("linkage", self.linkage, get_args(Linkage))
        if self.threshold is not None:
            check_threshold(self.threshold)
        if self.verifies and self.threshold is None:
            raise ConfigurationError(
                f"verify={self.verify!r} needs a threshold of similarity: give one, such as 0.8"
            )
        if not self.verifies and self.linkage == "survivor":
            raise ConfigurationError(
                "linkage='survivor' compares documents with the survivor: "
                "give verify='exact' or verify='estimate' too"
            )

    @property
    def verifies(self) -> bool:
        """Whether pairs are compared at all."""
        return self.verify != "none"

    @property
    def least(self) -> float:
        """The similarity that accepts a pair; of a verification that verifies."""
        return 0.0 if self.threshold is None else self.threshold

    def decides(self) -> dict[str, Any]:
        """What changes results; nothing where nothing is verified."""
        return {"verification": asdict(self)} if self.verifies else {}


def check_threshold(threshold: float) -> None:
    """Whether a number is a threshold of similarity.

    Raises:
        ConfigurationError: it is not.
    """
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        raise ConfigurationError(
            f"threshold={threshold!r} is no similarity to ask for: "
            "give a number above 0 and at most 1, such as 0.8"
        )


def _check_choice(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigurationError(f"{name}={value!r} is not known: choose {', '.join(known)}")


NOT_VERIFIED = Verification()
"""A shared key joins two documents."""
