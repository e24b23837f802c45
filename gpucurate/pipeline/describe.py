"""A pipeline as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_lowercase

from gpucurate.backends.chain import Stage
from gpucurate.stages.shapes.branch import Branch
from gpucurate.stages.shapes.checkpoint import Checkpoint
from gpucurate.stages.shapes.reduce import ReduceStage


def describe_stages(name: str, description: str, stages: Sequence[Stage]) -> str:
    """Name, description, and a paragraph for each stage; what runs within a stage stands beneath it."""
    lines = [f"Pipeline {name!r}" + (f": {description}" if description else "")]
    for number, stage in enumerate(stages, 1):
        lines += _indented(f"{number}.", _about(stage))
    return "\n".join(lines)


def _about(stage: Stage) -> Iterator[str]:
    needs, makes = stage.inputs()[1], stage.outputs()[1]
    yield f"{stage.name} ({type(stage).__module__}.{type(stage).__qualname__})"
    yield f"needs {', '.join(needs) or 'no column'}; adds {', '.join(makes) or 'none'}"
    yield (
        f"{_asks(stage)}; {stage.batch_size} task{'s' if stage.batch_size > 1 else ''} at a time; "
        f"devices {', '.join(sorted(stage.devices))}"
    )
    if isinstance(stage, Branch):
        yield from _ways(stage)
    if isinstance(stage, Checkpoint):
        yield f"all batches go on as they are; kept in {stage.path}, from which a later run begins"
    if isinstance(stage, ReduceStage):
        yield f"all batches go on as they are; their values are merged into report.reduced[{stage.name!r}]"
    if stage.members:
        yield "each of these is given the batch; a row goes on if all keep it, with what they add:"
    for at, member in enumerate(stage.members):
        yield from _indented(f"{_letter(at)}.", _about(member))


def _asks(stage: Stage) -> str:
    resources = stage.resources
    asks = f"{resources.cpus:g} cores"
    if resources.requires_gpu:
        asks += f", on a GPU {resources.gpus or f'{resources.gpu_memory_gb} GB'}"
    return asks


def _ways(branch: Branch) -> Iterator[str]:
    rows = getattr(branch.predicate, "__name__", branch.predicate)
    yield f"rows where {rows}: written to {branch.folder}/" + (", and go on" if branch.copies else "")
    yield "all rows: go on" if branch.copies else "other rows: go on"


def _letter(at: int) -> str:
    return ascii_lowercase[at] if at < len(ascii_lowercase) else str(at + 1)


def _indented(label: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"  {label} {next(lines)}"
    yield from (f"     {line}" for line in lines)
