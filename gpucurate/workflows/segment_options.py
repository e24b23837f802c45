"""What a deduplication of lines or paragraphs is told."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from gpucurate.dedup.segment_policy import CutPolicy, KeepSegment
from gpucurate.dedup.segmentation import MIN_LENGTH, Scope, Segmentation
from gpucurate.ops.segments import Grain
from gpucurate.spec.errors import ConfigurationError
from gpucurate.workflows.options import DedupOptions

SHARED = (
    "annotate",
    "cache_path",
    "checkpoint_path",
    "compression",
    "encoding_errors",
    "follow_external",
    "format",
    "id_field",
    "input_blocksize",
    "input_filetype",
    "log_text",
    "max_record_bytes",
    "max_reject_rate",
    "on_corrupt",
    "on_infeasible",
    "require_unique_ids",
    "text_field",
)
"""The fields of DedupOptions that mean something for segments."""


@dataclass(frozen=True, kw_only=True)
class SegmentSettings:
    """What is compared, what is cut of it, and what is written.

    Attributes:
        scope: ``corpus``, or ``document`` for segments to be compared within their document only.
        keep: ``first`` occurrence of each segment, or ``none`` of them.
        min_length: shorter segments, in characters, are never cut.
        min_count: only segments that occur so often are cut.
        normalize_text: compare trimmed, lower-cased text with white space collapsed.
        drop_empty: drop documents of which nothing remains but white space.
        list_cuts: write the cuts artefact.
        options: fields that other deduplications have too.

    Raises:
        ConfigurationError: a setting that is not possible.
    """

    scope: Scope = "corpus"
    keep: KeepSegment = "first"
    min_length: int = MIN_LENGTH
    min_count: int = 2
    normalize_text: bool = True
    drop_empty: bool = True
    list_cuts: bool = False
    options: DedupOptions = field(default_factory=DedupOptions)

    def __post_init__(self) -> None:
        self.segmentation("line")
        self.policy  # noqa: B018 - both refuse what is not possible

    def segmentation(self, grain: Grain) -> Segmentation:
        """What is compared."""
        return Segmentation(grain, self.min_length, self.normalize_text, self.scope)

    @property
    def policy(self) -> CutPolicy:
        """What is cut of it."""
        return CutPolicy(self.keep, self.min_count)

    def decides(self) -> dict[str, Any]:
        """What changes results, beyond the shared options."""
        names = [one.name for one in fields(self) if one.name != "options"]
        return {"segments": {name: getattr(self, name) for name in names}}


def segment_settings(given: dict[str, Any]) -> SegmentSettings:
    """Settings by name, those of the shared options among them.

    Raises:
        ConfigurationError: a name that is none of them, or a setting that is not possible.
    """
    own = {one.name for one in fields(SegmentSettings)} - {"options"}
    unknown = sorted(set(given) - own - set(SHARED))
    if unknown:
        known = ", ".join(sorted({*own, *SHARED}))
        raise ConfigurationError(f"no such option: {', '.join(unknown)}; there are {known}")
    shared = {name: value for name, value in given.items() if name in SHARED}
    return SegmentSettings(
        **{name: value for name, value in given.items() if name in own}, options=DedupOptions(**shared)
    )
