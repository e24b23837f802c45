"""cuDF's own minhash beside ours, on the same column: the parameters of NeMo Curator, 32 and 64 bits."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.gpu.kernels import K260, NEMO32, NEMO64
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.rows import Report
from benchmarks.gpu.text import column_on_device
from benchmarks.gpu.timing import measure
from gpucurate.frame.cudf_columns import frame_of
from gpucurate.frame.device_table import DeviceTable
from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import MinHashParams
from gpucurate.ops.minhash.cuda import signatures

RATIO = 5
"""How many times cuDF's rate ours is to be."""


def run(plan: Plan, report: Report) -> None:
    """Signatures, which is what cuDF makes: no band keys on either side."""
    use_pool()
    text = column_on_device(plan.corpus, plan.column_bytes)
    report.attempt("K=260, 32 bits", partial(_beside, plan, report, text, NEMO32, 32))
    report.attempt("K=260, 64 bits", partial(_beside, plan, report, text, NEMO64, 64))


def use_pool() -> None:
    """Let cuDF and CuPy allocate from an asynchronous pool, as its guide says; before any allocation."""
    import rmm

    rmm.mr.set_current_device_resource(rmm.mr.CudaAsyncMemoryResource())
    import cudf

    assert cudf  # its import points CuPy at RMM


def _beside(plan: Plan, report: Report, text: TextBuffers, params: MinHashParams, bits: int) -> None:
    theirs = Theirs(text, params, bits)
    rates = {}
    for name, call in (
        (f"cuDF's minhash, K=260, {bits} bits", lambda _: theirs()),
        (f"ours, the same values, {bits} bits", lambda device: signatures(text, params, device)),
        *([("ours, affine32, K=260", lambda device: signatures(text, K260, device))] if bits == 32 else []),
    ):
        found = measure(call, plan.repeats, plan.seconds)
        rates[name] = text.nbytes / found.seconds / 1e9
        report.row(name, rates[name], spread=found.spread)
    first, *others = rates
    for name in others:
        report.row(f"{name}: times cuDF's", rates[name] / rates[first], unit="x", goal=RATIO)
    differing = theirs.differing(signatures(text, params))
    note = "values that differ" if differing else "all values are equal"
    report.row(f"values of both, {bits} bits", float(differing), unit="differ", note=note)


class Theirs:
    """A column as cuDF's, and the call over it."""

    def __init__(self, text: TextBuffers, params: MinHashParams, bits: int) -> None:
        import cudf

        frame = frame_of(DeviceTable({"text": text}, len(text)))
        multipliers, addends = params.permutations()
        self._text = frame["text"].str
        self._named: dict[str, Any] = {
            "seed": multipliers[0],
            "a": cudf.Series(multipliers.copy()),
            "b": cudf.Series(addends.copy()),
            "width": params.ngram,
        }
        self._bits = bits

    def __call__(self) -> Any:
        """The signatures, a list a row."""
        return (self._text.minhash if self._bits == 32 else self._text.minhash64)(**self._named)

    def differing(self, ours: Any) -> int:
        """How many values are not ours."""
        values = self().list.leaves.values
        if values.size != ours.size:
            return int(abs(values.size - ours.size))
        return int((values != ours.ravel()).sum())
