"""Options that say how similar duplicates must be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

_PANEL = "Similarity"


class Verify(StrEnum):
    """How pairs that share a key are verified."""

    none = "none"
    exact = "exact"
    estimate = "estimate"


class Linkage(StrEnum):
    """What stays together in a cluster."""

    component = "component"
    survivor = "survivor"


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """How similar duplicates must be, and to what."""

    threshold: Annotated[
        float | None,
        typer.Option(
            help="Similarity of duplicates, above 0 and at most 1. Chooses bands and rows if they are "
            "not given, and is what --verify asks for.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    permutations: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="MinHash values that --threshold may share out among bands; 128 if not given.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    verify: Annotated[
        Verify,
        typer.Option(
            help="Compare pairs that share a key, and discard those below --threshold: by their shingles "
            "(exact) or by their signatures (estimate).",
            rich_help_panel=_PANEL,
        ),
    ] = Verify.none
    linkage: Annotated[
        Linkage,
        typer.Option(
            help="A cluster is what pairs connect (component), or only what reaches --threshold with the "
            "survivor (survivor; needs --verify).",
            rich_help_panel=_PANEL,
        ),
    ] = Linkage.component

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {
            "threshold": self.threshold,
            "permutations": self.permutations,
            "verify": self.verify.value,
            "linkage": self.linkage.value,
        }
