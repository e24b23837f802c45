"""The branches of a pipeline: each its folder, and no name twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from gpucurate.backends.chain import Stage
from gpucurate.io.output_name import check_output_names
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import FileRange
from gpucurate.stages.shapes.branch import Branch
from gpucurate.stages.text.io.writer import DocumentWriter


def branches(stages: Iterable[Stage]) -> list[Branch]:
    """The branches among the stages."""
    return [stage for stage in stages if isinstance(stage, Branch)]


def place_branches(stages: Sequence[Stage]) -> list[Stage]:
    """The stages, with branches that know their folder within the writer's output.

    Raises:
        ConfigurationError: no writer, a branch that writes elsewhere, or two that write to one place.
    """
    found = branches(stages)
    if not found:
        return list(stages)
    writer = next((stage for stage in stages if isinstance(stage, DocumentWriter)), None)
    if writer is None:
        raise ConfigurationError(
            f"stage {found[0].name!r} writes beneath the output of the pipeline, which has no writer: end it "
            "with a JsonlWriter or ParquetWriter"
        )
    placed = [stage.within(writer.path) if isinstance(stage, Branch) else stage for stage in stages]
    for one, other in combinations([branch.folder for branch in branches(placed)], 2):
        if f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/"):
            raise ConfigurationError(
                f"two branches write to {one!r} and {other!r}, which are one folder or lie one in the other: "
                "give each a folder of its own"
            )
    return placed


def check_branches(stages: Iterable[Stage], ranges: Sequence[FileRange]) -> None:
    """Whether what branches write has names of its own.

    Raises:
        ConfigurationError: naming the file; or two outputs of one name, as for a writer.
    """
    for branch in branches(stages):
        check_output_names(ranges, branch.format, branch.compression)
        for source in ranges:
            if source.file.name.startswith(f"{branch.folder}/"):
                raise ConfigurationError(
                    f"stage {branch.name!r} writes to {branch.folder!r}, and the input has "
                    f"{source.file.name}, of which the output would go there too: give another folder"
                )
