"""What is printed of similarity: the S-curve of a threshold, and what verification did."""

from __future__ import annotations

from typing import Any

from rich.console import Console

_WIDTH = 40


def print_banding(console: Console, banding: dict[str, Any]) -> None:
    """The S-curve, as ``Banding.to_dict`` gives it."""
    console.print(
        f"bands      {banding['bands']} of {banding['rows']} rows for a threshold of "
        f"{banding['threshold']:g}: probability that a pair is found, by its similarity"
    )
    for similarity, probability in banding["found"]:
        console.print(
            f"  {similarity:>8.2f}  {probability:7.4f}  [dim]{'#' * round(_WIDTH * probability)}[/]"
        )
    console.print(
        f"           areas: {banding['found_below']:.4f} found below the threshold, "
        f"{banding['missed_above']:.4f} missed above it"
    )


def print_verification(console: Console, figures: dict[str, Any]) -> None:
    """How many pairs were compared, and what came of it."""
    parts = [f"{figures[name]:,} {name}" for name in ("compared", "accepted", "rejected")]
    if figures["discarded"]:
        parts.append(f"{figures['discarded']:,} documents of a key without a similar leader")
    how = {"exact": "by their shingles", "estimate": "by their signatures"}[figures["verify"]]
    console.print(f"pairs      {', '.join(parts)} at {figures['threshold']:g}, {how}")
