"""What a plan will do, as text: segments, their devices, and what crosses between them."""

from __future__ import annotations

from gpucurate.planning.crossings import crossings
from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.plan import Plan, Segment


def explain_plan(plan: Plan, input_bytes: int) -> str:
    """A line for each segment, with why it begins there; then the bytes that cross.

    Args:
        plan: what runs.
        input_bytes: decoded size of the input.
    """
    lines = [f"Plan {plan.name!r}, {format_bytes(input_bytes)} of input", *map(_segment, plan.segments)]
    for crossing in crossings(plan, input_bytes):
        direction = "up to a GPU" if crossing.to == "cuda" else "down to the host"
        bound = f"at most {format_bytes(crossing.nbytes)}"
        lines.append(f"  {direction}: {bound}, since stage {crossing.stage} {crossing.why}")
    if plan.uses_gpu:
        lines.append("  between the stages of a segment: 0 B, they hand over a reference")
        lines.append("  to a writer: what stages have changed; of other rows the original bytes are written")
    return "\n".join(lines)


def _segment(segment: Segment) -> str:
    names = ", ".join(stage.name for stage in segment.stages)
    return f"  {segment.index + 1}. on {segment.device}: {names} ({segment.cut})"
