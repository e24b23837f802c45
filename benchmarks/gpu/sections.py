"""The sections of the benchmark, in their order; each runs in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from benchmarks.gpu.plan import Plan
from benchmarks.gpu.rows import Report


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the table.

    Attributes:
        name: as ``--only`` takes it; ``kernels`` stands for all that begin with ``kernels.``.
        place: ``module:function`` in this folder.
        seconds: after which it is ended.
        needs: packages without which it is skipped.
    """

    name: str
    place: str
    seconds: float
    needs: tuple[str, ...] = ("cupy",)

    @property
    def missing(self) -> str | None:
        """The first package that is not installed."""
        return next((package for package in self.needs if find_spec(package) is None), None)

    def is_named(self, only: list[str]) -> bool:
        """Whether one of these names is the section's, or that of a group it belongs to."""
        return not only or any(self.name == name or self.name.startswith(f"{name}.") for name in only)

    def run(self, plan: Plan, report: Report) -> None:
        """Measure everything in it."""
        module, _, function = self.place.partition(":")
        getattr(import_module(f"benchmarks.gpu.{module}"), function)(plan, report)


SECTIONS = (
    Section("machine", "machine:run", 20),
    Section("ceilings", "ceilings:run", 45),
    Section("kernels.text", "kernels:run_text", 45),
    Section("kernels.minhash", "kernels:run_minhash", 75),
    Section("kernels.json", "json_kernels:run", 45),
    Section("kernels.grouping", "grouping_kernels:run", 45),
    Section("end_to_end.jsonl", "end_to_end:run_jsonl", 150, ("cupy", "rmm")),
    Section("cudf", "cudf_minhash:run", 60, ("cupy", "rmm", "cudf", "pylibcudf")),
    Section("readers", "readers:run", 45, ("cupy", "rmm")),
    Section("readers.cudf", "readers:run_cudf", 45, ("cupy", "rmm", "cudf")),
    Section("end_to_end.parquet", "end_to_end:run_parquet", 150, ("cupy", "rmm")),
)
NAMES = {section.name: section for section in SECTIONS}
EXPECTED_SECONDS = 480
"""Of a whole run: later sections are skipped when it is spent."""


def corpus_is_needed(sections: list[Section]) -> bool:
    """Whether any of them reads the corpus."""
    return any(section.name not in ("machine", "ceilings") for section in sections)
