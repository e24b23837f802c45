"""A pipeline as text."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.backends.chain import Stage


def describe_stages(name: str, description: str, stages: Sequence[Stage]) -> str:
    """Name, description, and a paragraph for each stage."""
    head = f"Pipeline {name!r}" + (f": {description}" if description else "")
    return "\n".join([head, *(_describe(number, stage) for number, stage in enumerate(stages, 1))])


def _describe(number: int, stage: Stage) -> str:
    needs, makes = stage.inputs()[1], stage.outputs()[1]
    resources = stage.resources
    asks = f"{resources.cpus:g} cores"
    if resources.requires_gpu:
        asks += f", on a GPU {resources.gpus or f'{resources.gpu_memory_gb} GB'}"
    lines = [
        f"  {number}. {stage.name} ({type(stage).__module__}.{type(stage).__qualname__})",
        f"     needs {', '.join(needs) or 'no column'}; adds {', '.join(makes) or 'none'}",
        f"     {asks}; {stage.batch_size} task{'s' if stage.batch_size > 1 else ''} at a time; "
        f"devices {', '.join(sorted(stage.devices))}",
    ]
    return "\n".join(lines)
