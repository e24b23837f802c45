"""The largest clusters of a run, for its report."""

from __future__ import annotations

from typing import Any

from gpucurate.dedup.survivors import Clusters
from gpucurate.io.limits import ReadLimits
from gpucurate.workflows.examples import first_line, locate
from gpucurate.workflows.found import Found

SHOWN_CLUSTERS = 5


def largest_clusters(
    found: Found, clusters: Clusters, text_field: str | None, limits: ReadLimits
) -> list[dict[str, Any]]:
    """Label, size, and place of the survivor, the largest cluster first.

    Args:
        found: what was read.
        clusters: with their survivors.
        text_field: also tell the survivor's first line; not if None.
        limits: as the documents were read.
    """
    bases = [span.first_id for span in found.spans]
    shown: list[dict[str, Any]] = []
    for label in clusters.largest(SHOWN_CLUSTERS):
        source, record = locate(clusters.shown(int(label)), bases, found.ranges)
        span = found.spans[found.ranges.index(source)]
        shown.append(
            {
                "cluster": int(label),
                "size": int(clusters.sizes[label]),
                "path": span.name,
                "row": None if span.first_row is None else span.first_row + record,
            }
        )
        if text_field is not None:
            shown[-1]["text"] = first_line(source, record, text_field, limits)
    return shown
