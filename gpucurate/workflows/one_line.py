"""Deduplication in one line, for notebooks: of files, or of a frame in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import pyarrow as pa

from gpucurate.backends.cores import usable_cores
from gpucurate.backends.executors import Executor
from gpucurate.dedup.device_clusters import group_on_device
from gpucurate.dedup.memory_clusters import group_in_memory
from gpucurate.dedup.memory_verify import verify_in_memory
from gpucurate.dedup.policy import Policy, parse_policy
from gpucurate.dedup.ranks import column_ranks, length_ranks
from gpucurate.dedup.sketch import HashSketch, MinHashSketch, Sketch
from gpucurate.dedup.survivors import Clusters, Ranks
from gpucurate.dedup.verification import NOT_VERIFIED, Linkage, Verification, Verify
from gpucurate.dedup.within import keys_within
from gpucurate.frame import table as frame
from gpucurate.frame.device_table import text_to_host
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import download, is_on_device, upload
from gpucurate.ops.char_length import char_length
from gpucurate.spec.errors import ConfigurationError
from gpucurate.stages.deduplication.column_path import ColumnPath
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow, fuzzy_sketch
from gpucurate.workflows.result import WorkflowRunResult
from gpucurate.workflows.thresholds import banded

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What deduplication found in a frame.

    Attributes:
        kept: the rows that are kept, as the kind of frame that was given.
        clusters: Arrow table of ``row``, ``cluster`` (its smallest row), ``cluster_size``
            and ``is_kept``, one row for each document that has duplicates; where pairs were
            verified also ``similarity``, to the row of its cluster that is kept.
    """

    kept: Any
    clusters: pa.Table

    @property
    def duplicates(self) -> int:
        """Rows that are not kept."""
        return int(np.count_nonzero(~self.clusters.column("is_kept").to_numpy()))


def fuzzy_dedup(
    data: Any,
    output: str | PathLike[str] | None = None,
    *,
    preset: str = "default",
    text_field: str = "text",
    keep: str = "first",
    within: str | None = None,
    normalize: bool | None = None,
    threshold: float | None = None,
    permutations: int | None = None,
    verify: Verify = "none",
    linkage: Linkage = "component",
    executor: Executor | None = None,
    **settings: Any,
) -> WorkflowRunResult | FrameResult:
    """Remove near-duplicates.

    Args:
        data: files, folders, globs or URLs; or a pandas, Arrow or cuDF frame. The text of a cuDF frame
            stays on the GPU.
        output: folder to write to; for files only, and then it must be given.
        preset: ``default``, ``nemo``, ``fineweb`` or ``dolma``.
        text_field: column of text.
        keep: which member of a cluster survives: ``first``, ``longest``, ``shortest``,
            ``max:COLUMN``, ``min:COLUMN``, ``prefer:COLUMN=GLOB,...``; of files also ``prefer:GLOB,...``.
        within: a column; documents of different values of it are never duplicates.
        normalize: lower case and collapse white space first; the preset decides if None.
        threshold, permutations, verify, linkage: how similar duplicates must be, as of
            :class:`~gpucurate.workflows.fuzzy.FuzzyDeduplicationWorkflow`.
        executor: carries the work out; for files only.
        settings: ``shingle``, ``ngram``, ``bands``, ``rows``, ``seed``; ``sketch``, ``compat`` and
            ``use_64_bit_hash`` as of
            :class:`~gpucurate.workflows.fuzzy.FuzzyDeduplicationWorkflow`; and of files the fields of
            :class:`~gpucurate.workflows.options.DedupOptions`.

    Raises:
        ConfigurationError: an option that does not go with the data.
        GpucurateError: see its subclasses.

    >>> fuzzy_dedup(pandas.DataFrame({"text": ["a cat sat", "A  cat sat", "a dog"]})).duplicates
    1
    """
    given = {name: settings.pop(name, None) for name in ("shingle", "ngram", "bands", "rows", "seed")}
    kind = {name: settings.pop(name) for name in ("sketch", "compat", "use_64_bit_hash") if name in settings}
    if frame.is_table(data):
        verification = Verification(verify, threshold, linkage)
        has_preset = preset != "default" or kind.get("compat") is not None
        _, given = banded(given, has_preset, permutations, verification)
        sketch = fuzzy_sketch(preset, normalize, given, **kind)
        _refuse_for_frames({"output": output, "executor": executor, **settings})
        return _of_frame(data, sketch, text_field, keep=keep, within=within, verification=verification)
    workflow = FuzzyDeduplicationWorkflow(
        data,
        _needed(output),
        preset=preset,
        shingle=given["shingle"],
        char_ngrams=given["ngram"],
        num_bands=given["bands"],
        minhashes_per_band=given["rows"],
        seed=given["seed"],
        normalize_text=normalize,
        text_field=text_field,
        keep=keep,
        within=within,
        **kind,
        threshold=threshold,
        permutations=permutations,
        verify=verify,
        linkage=linkage,
        **settings,
    )
    return workflow.run(executor)


def exact_dedup(
    data: Any,
    output: str | PathLike[str] | None = None,
    *,
    text_field: str = "text",
    keep: str = "first",
    within: str | None = None,
    normalize: bool = False,
    executor: Executor | None = None,
    **settings: Any,
) -> WorkflowRunResult | FrameResult:
    """Remove documents whose text is equal; arguments as :func:`fuzzy_dedup`.

    >>> exact_dedup(pandas.DataFrame({"text": ["a", "b", "a"]})).kept
    """
    if frame.is_table(data):
        _refuse_for_frames({"output": output, "executor": executor, **settings})
        return _of_frame(data, HashSketch(normalized=normalize), text_field, keep=keep, within=within)
    workflow = ExactDeduplicationWorkflow(
        data,
        _needed(output),
        normalize_text=normalize,
        text_field=text_field,
        keep=keep,
        within=within,
        **settings,
    )
    return workflow.run(executor)


def _needed(output: str | PathLike[str] | None) -> str | PathLike[str]:
    if output is None:
        raise ConfigurationError("files are deduplicated to files: give output=, a folder")
    return output


def _refuse_for_frames(given: dict[str, Any]) -> None:
    useless = sorted(name for name, value in given.items() if value is not None)
    if useless:
        raise ConfigurationError(f"{', '.join(useless)} means nothing for a frame in memory: it is for files")


def _of_frame(
    data: Any,
    sketch: Sketch,
    text_field: str,
    *,
    keep: str,
    within: str | None,
    verification: Verification = NOT_VERIFIED,
) -> FrameResult:
    policy = parse_policy(keep)
    text = _text(data, text_field)
    if verification.verifies:
        text = text_to_host(text)  # pairs are compared on the CPU
    keys, has_keys = sketch.keys(text)
    if within is not None:
        salted = keys_within(download(keys), _column(data, within), wide=sketch.wide)
        keys = upload(salted) if is_on_device(keys) else salted
    ranks = _ranks(data, text, policy)
    if is_on_device(keys):
        clusters = group_on_device(keys, has_keys, wide=sketch.wide, ranks=ranks)
    elif verification.verifies and isinstance(sketch, MinHashSketch):
        clusters = verify_in_memory(
            text,
            keys,
            has_keys,
            sketch=sketch,
            verification=verification,
            ranks=ranks,
            threads=usable_cores(),
        )
    else:
        clusters = group_in_memory(keys, has_keys, wide=sketch.wide, ranks=ranks)
    return FrameResult(frame.take_mask(data, clusters.is_kept(0, len(text))), _cluster_table(clusters))


def _ranks(data: Any, text: TextBuffers, policy: Policy) -> Ranks:
    if not policy.is_ranked:
        lengths = download(char_length(text))
        return length_ranks(np.minimum(lengths + 1, 2**32 - 1).astype(np.uint32), policy)
    if not policy.column:
        raise ConfigurationError(
            "a frame in memory has no paths to prefer: give keep='prefer:COLUMN=GLOB,...'"
        )
    ranks, _ = column_ranks(_column(data, policy.column), policy)
    return ranks


def _text(data: Any, name: str) -> TextBuffers:
    """The text of a frame: of one on a GPU its buffers there."""
    if frame.device_of(data) == "cuda" and name in frame.column_names(data):
        return frame.text_of(data, name)
    return TextBuffers.from_arrow(_column(data, name))


def _column(data: Any, name: str) -> pa.Array:
    """A column of a frame, or what lies below one, as ``metadata.score`` does."""
    names = frame.column_names(data)
    field, _, below = name.partition(".")
    path = (
        ColumnPath(name)
        if name in names or field not in names
        else ColumnPath(field, tuple(below.split(".")))
    )
    if path.field not in names:
        raise ConfigurationError(f"no column {name!r}: the frame has {', '.join(names)}")
    return path.of(data)


def _cluster_table(clusters: Clusters) -> pa.Table:
    sizes = clusters.sizes[clusters.labels]
    rows = np.flatnonzero(sizes > 1)
    columns = {
        "row": rows,
        "cluster": clusters.labels[rows].astype(np.int64),
        "cluster_size": sizes[rows].astype(np.int32),
        "is_kept": clusters.is_kept(0, len(sizes))[rows],
    }
    if clusters.similarity is not None:
        columns["similarity"] = clusters.similarity[rows]
    return pa.table(columns)
