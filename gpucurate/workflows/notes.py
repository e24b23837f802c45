"""What a run should tell its user, from what its stages counted."""

from __future__ import annotations

from collections import Counter

from gpucurate.stages.deduplication.document_ids import WITHOUT_OWN_ID
from gpucurate.stages.deduplication.keys import WITHOUT_GROUP, WITHOUT_VALUE
from gpucurate.stages.deduplication.removal import REJECTED_BYTES

NOT_SAMPLED_BYTES = "bytes of lines not sampled or rejected"
"""What the last pass calls rejected, where the first one took a sample: it reads no text."""


_CONSEQUENCES = {
    WITHOUT_VALUE: "they survive only where no other member of the cluster has one",
    WITHOUT_GROUP: "they are compared with each other",
    WITHOUT_OWN_ID: "they bring no id, and none of theirs can come twice",
}


def without_values(counts: Counter[str]) -> list[str]:
    """A sentence for each column in which some documents have no value that decides."""
    return [
        f"{count:,} documents have no value in {name.removeprefix(prefix)}: {consequence}"
        for prefix, consequence in _CONSEQUENCES.items()
        for name, count in sorted(counts.items())
        if name.startswith(prefix) and count
    ]


def name_sampled_bytes(counts: Counter[str]) -> None:
    """Call the bytes of lines that were never candidates by what they are, in place."""
    if REJECTED_BYTES in counts:
        counts[NOT_SAMPLED_BYTES] = counts.pop(REJECTED_BYTES)
