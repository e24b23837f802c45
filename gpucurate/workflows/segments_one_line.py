"""Deduplication of lines or paragraphs in one line, for notebooks: of files, or of a frame in memory."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.backends.executors import Executor
from gpucurate.dedup.memory_clusters import group_in_memory
from gpucurate.frame import table as frame
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.segments import Grain, Segments, character_offsets, cut_spans, remove_spans
from gpucurate.spec.errors import ConfigurationError
from gpucurate.workflows.result import WorkflowRunResult
from gpucurate.workflows.segment_options import SHARED, SegmentSettings, segment_settings
from gpucurate.workflows.segments import SegmentDeduplicationWorkflow

NOT_OF_FRAMES = {*SHARED, "list_cuts"} - {"text_field"}


@dataclass(frozen=True, slots=True)
class FrameCuts:
    """What was cut out of the text of a frame.

    Attributes:
        kept: the rows with the text that remains, as the kind of frame that was given.
        cuts: Arrow table of ``row``, ``start``, ``stop`` (characters of the text as it was given),
            ``count`` (occurrences) and ``first_row``, one row for each segment that was cut.
    """

    kept: Any
    cuts: pa.Table


def line_dedup(
    data: Any,
    output: str | PathLike[str] | None = None,
    *,
    executor: Executor | None = None,
    **settings: Any,
) -> WorkflowRunResult | FrameCuts:
    """Cut lines that occur before, in the same or in another document.

    Args:
        data: files, folders, globs or URLs; or a pandas, Arrow or cuDF frame.
        output: folder to write to; for files only, and then it must be given.
        executor: carries the work out; for files only.
        settings: the fields of :class:`~gpucurate.workflows.segment_options.SegmentSettings`, and
            ``text_field``; of files also the other shared options.

    Raises:
        ConfigurationError: a setting that is not possible, or does not go with the data.
        GpucurateError: see its subclasses.

    >>> pages = pandas.DataFrame({"text": ["All rights reserved, 2024\\nA", "B\\nall rights reserved, 2024"]})
    >>> line_dedup(pages).kept["text"].tolist()
    ['All rights reserved, 2024\\nA', 'B']
    """
    return _dedup("line", data, output, executor, settings)


def paragraph_dedup(
    data: Any,
    output: str | PathLike[str] | None = None,
    *,
    executor: Executor | None = None,
    **settings: Any,
) -> WorkflowRunResult | FrameCuts:
    """Cut paragraphs that occur before; arguments as :func:`line_dedup`."""
    return _dedup("paragraph", data, output, executor, settings)


def _dedup(
    grain: Grain,
    data: Any,
    output: str | PathLike[str] | None,
    executor: Executor | None,
    settings: dict[str, Any],
) -> WorkflowRunResult | FrameCuts:
    if not frame.is_table(data):
        if output is None:
            raise ConfigurationError("files are deduplicated to files: give output=, a folder")
        return SegmentDeduplicationWorkflow(grain, data, output, segment_settings(settings)).run(executor)
    given = {name for name, value in (("output", output), ("executor", executor)) if value is not None}
    useless = sorted(given | (NOT_OF_FRAMES & {*settings}))
    if useless:
        raise ConfigurationError(f"{', '.join(useless)} means nothing for a frame in memory: it is for files")
    return _of_frame(data, grain, segment_settings(settings))


def _of_frame(data: Any, grain: Grain, settings: SegmentSettings) -> FrameCuts:
    name = settings.options.text_field
    if name not in frame.column_names(data):
        raise ConfigurationError(f"no column {name!r}: the frame has {', '.join(frame.column_names(data))}")
    column = frame.column_as_arrow(data, name)
    if pa.types.is_null(column.type):
        column = column.cast(pa.large_string())
    text, segmentation = TextBuffers.from_arrow(column), settings.segmentation(grain)
    segments = segmentation.split(text)
    keys = segmentation.compared_keys(text, segments, np.arange(len(text), dtype=np.uint64))
    labels, sizes = _groups(keys)
    cut = settings.policy.cut(labels, sizes, 0, len(labels))
    spans = cut_spans(text, segments, cut)
    kept = ~spans.emptied if settings.drop_empty else np.ones(len(text), np.bool_)
    rest = remove_spans(text, spans).to_arrow().cast(column.type).filter(pa.array(kept))
    rows = frame.replace_column(frame.take_mask(data, kept), name, rest)
    return FrameCuts(rows, _cut_table(text, segments, cut, labels, sizes))


def _groups(keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """First occurrence of each segment, and at a first occurrence how many there are."""
    everywhere, ranks = np.ones(len(keys), np.bool_), np.ones(len(keys), np.uint32)
    clusters = group_in_memory(keys, everywhere, wide=True, ranks=ranks)
    return clusters.labels, clusters.sizes


def _cut_table(
    text: TextBuffers,
    segments: Segments,
    cut: npt.NDArray[np.bool_],
    labels: npt.NDArray[np.uint32],
    sizes: npt.NDArray[np.uint32],
) -> pa.Table:
    places, before = segments.compared[cut], segments.compared_firsts()
    firsts = np.concatenate(([0], np.cumsum(cut)))[before]
    rows = np.repeat(np.arange(len(text)), np.diff(before))
    return pa.table(
        {
            "row": rows[cut],
            "start": character_offsets(text, segments.starts[places], firsts),
            "stop": character_offsets(text, segments.stops[places], firsts),
            "count": sizes[labels[cut]].astype(np.int64),
            "first_row": rows[labels[cut]],
        }
    )
