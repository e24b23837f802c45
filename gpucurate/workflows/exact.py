"""Exact deduplication."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from gpucurate.dedup.sketch import HashSketch
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.options import dedup_options


class ExactDeduplicationWorkflow(DeduplicationWorkflow):
    """Keeps one of the documents whose text is equal, byte for byte.

    Equality is that of a 128-bit hash (docs/algorithms.md).

    Args:
        input_path: files, folders, globs or URLs.
        output_path: folder of the output.
        normalize_text: compare lower-cased text with white space collapsed.
        options: the fields of :class:`~gpucurate.workflows.options.DedupOptions`.

    >>> ExactDeduplicationWorkflow("pages/", "unique/", keep="longest").run().report.books.kept
    """

    def __init__(
        self,
        input_path: str | PathLike[str] | Sequence[str | PathLike[str]],
        output_path: str | PathLike[str],
        *,
        normalize_text: bool = False,
        **options: Any,
    ) -> None:
        sketch = HashSketch(normalized=normalize_text)
        super().__init__("dedup exact", input_path, output_path, sketch, dedup_options(options))
