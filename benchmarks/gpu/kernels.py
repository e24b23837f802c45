"""Operations on text, each as a whole call and by its kernels alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.gpu import ceilings
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.rows import Report
from benchmarks.gpu.text import column_on_device
from benchmarks.gpu.timing import Timing, measure
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.char_length.cuda import char_length
from gpucurate.ops.cuda import CudaDevice
from gpucurate.ops.document_hash.cuda import document_hash
from gpucurate.ops.minhash import PRESETS, MinHashParams
from gpucurate.ops.minhash.cuda import band_keys
from gpucurate.ops.normalize.cuda import normalize

Call = Callable[[CudaDevice], object]

K128, K260 = MinHashParams(), MinHashParams(20, 13, "char", 24)
NEMO32 = PRESETS["nemo"].params
NEMO64 = MinHashParams(20, 13, "char", 24, seed=42, rule="nvtext64")
SKETCHES: tuple[tuple[str, MinHashParams, float | None], ...] = (
    ("minhash, affine32, 5 characters, K=128", K128, 60),
    ("minhash, affine32, 24 characters, K=260", K260, 40),
    ("minhash, nvtext32, 24 characters, K=260", NEMO32, None),
    ("minhash, nvtext64, 24 characters, K=260", NEMO64, None),
    ("minhash, affine32, 5 words, K=128", MinHashParams(16, 8, "word", 5), None),
    ("fss, 5 characters, K=128", MinHashParams(rule="fss"), None),
)


def run_text(plan: Plan, report: Report) -> None:
    """Operations that memory bounds: bytes read and written for each byte of text, against what is read."""
    text = column_on_device(plan.corpus, plan.column_bytes)
    for name, call, traffic, goal in text_calls(text):
        ceiling = memory_ceiling(plan, traffic)
        report.attempt(name, partial(timed, plan, report, text, name, call, goal, ceiling))


def text_calls(text: TextBuffers) -> Iterator[tuple[str, Call, tuple[int, int], float | None]]:
    """Name, call, how often a byte is read and written, and goal."""
    yield "char_length", lambda device: char_length(text, device), (1, 0), None
    yield "document_hash", lambda device: document_hash(text, device), (1, 0), 1500
    yield "normalize", lambda device: normalize(text, device), (2, 1), None


def run_minhash(plan: Plan, report: Report) -> None:
    """Band keys of text, by each rule; arithmetic bounds them."""
    text = column_on_device(plan.corpus, plan.column_bytes)
    for name, params, goal in SKETCHES:
        ceiling = sketch_ceiling(plan, params)
        call = keys_of(text, params)
        report.attempt(name, partial(timed, plan, report, text, name, call, goal, ceiling))
    name = "normalize and minhash, 5 characters, K=128"
    report.attempt(name, partial(timed, plan, report, text, name, normalized_keys_of(text), None, None))


def keys_of(text: TextBuffers, params: MinHashParams) -> Call:
    """The call that makes band keys."""
    return lambda device: band_keys(text, params, device)


def normalized_keys_of(text: TextBuffers) -> Call:
    """What ``dedup fuzzy`` does with a piece of text."""
    return lambda device: band_keys(normalize(text, device), K128, device)


def timed(
    plan: Plan,
    report: Report,
    text: TextBuffers,
    name: str,
    call: Call,
    goal: float | None,
    ceiling: float | None,
) -> None:
    """Measure a call over text, and report bytes of text a second."""
    found = measure(call, plan.repeats, plan.seconds)
    report_rate(report, name, found, text.nbytes, goal=goal, ceiling=ceiling)


def report_rate(report: Report, name: str, found: Timing, amount: float, **values: Any) -> None:
    """A row of ``amount / 10**9`` a second."""
    alone = None if found.kernels is None else amount / found.kernels / 1e9
    report.row(name, amount / found.seconds / 1e9, kernels=alone, spread=found.spread, **values)


def memory_ceiling(plan: Plan, traffic: tuple[int, int]) -> float | None:
    """GB/s of text that memory allows, if each byte of it is read and written so often."""
    reads, writes = traffic
    copied, read = plan.ceilings.get(ceilings.COPY), plan.ceilings.get(ceilings.READ)
    best = read if not writes else copied
    return best / (reads + writes) if best else None


def sketch_ceiling(plan: Plan, params: MinHashParams) -> float | None:
    """GB/s of ASCII that the inner loop allows: a shingle a byte, so of characters only.

    affine32 makes two values by a step of ``minhash_steps``, nvtext32 one by a product and a minimum, of
    which the products are the more expensive; no loop of those measured is that of the others.
    """
    if params.shingle == "char" and params.rule == "affine32":
        steps = plan.ceilings.get(ceilings.NAMES["minhash_steps"])
        return steps * 1000 / (params.num_permutations / 2) if steps else None
    if params.rule == "nvtext32":
        products = plan.ceilings.get(ceilings.NAMES["products"])
        return products * 1000 / params.num_permutations if products else None
    return None
