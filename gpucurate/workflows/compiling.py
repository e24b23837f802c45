"""Machine code for this machine, made once a user and not once a worker."""

from __future__ import annotations

import time

import numpy as np

from gpucurate.dedup.sketch import Sketch
from gpucurate.frame.text import TextBuffers
from gpucurate.io.warm_up import warm_up as warm_up_io
from gpucurate.ops.compiled import is_cached
from gpucurate.ops.jaccard import shared_shingles
from gpucurate.ops.jaccard.cpu import compare_pairs
from gpucurate.ops.minhash import MinHashParams
from gpucurate.ops.survivors import choose_survivors, count_members
from gpucurate.ops.union_find import new_parents
from gpucurate.spec.progress import Observer


def prepare(observer: Observer, sketch: Sketch) -> None:
    """Compile what deduplication runs, unless an earlier run left it on disk.

    Args:
        observer: is told, since it takes a while.
        sketch: whose kernels are needed.
    """
    if sketch.is_warm():
        return
    observer.note("compiling for this machine (first run only, up to half a minute)")
    began = time.monotonic()
    sketch.warm_up()
    warm_up_io()
    labels = new_parents(1)
    choose_survivors(labels, 0, count_members(labels), labels.copy(), labels.copy())
    ranks = labels.astype(np.uint64)
    choose_survivors(labels, 0, ranks, labels.copy(), ranks.copy())
    observer.note(f"compiled in {time.monotonic() - began:.0f} s")


def prepare_comparison(observer: Observer) -> None:
    """Compile what compares shingles, unless an earlier run left it on disk.

    Args:
        observer: is told, since it takes a while.
    """
    if is_cached(compare_pairs):
        return
    observer.note("compiling the comparison of shingles (first run only)")
    began = time.monotonic()
    text, row = TextBuffers.from_strings(["one two"]), np.zeros(1, np.uint32)
    shared_shingles(text, row, row, MinHashParams())
    observer.note(f"compiled in {time.monotonic() - began:.0f} s")
