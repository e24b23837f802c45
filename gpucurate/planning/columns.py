"""Columns that stages declare, checked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.stage import StageSpec


def check_columns(stages: Sequence[StageSpec]) -> None:
    """Follow the columns through the chain.

    Where a source does not know its columns, the check starts at the first stage that
    does; the worker checks the rest against the first batch.

    Raises:
        ConfigurationError: a stage needs a column that nothing before it provides.
    """
    known: set[str] | None = None
    for at, stage in enumerate(stages):
        if stage.is_source:
            known = None if stage.columns is None else set(stage.columns)
            continue
        missing = [] if known is None else [column for column in stage.inputs if column not in known]
        if missing:
            raise ConfigurationError(_missing(stages[:at], stage, missing, known or set()))
        if known is not None:
            known |= set(stage.outputs)


def _missing(before: Sequence[StageSpec], stage: StageSpec, missing: list[str], known: set[str]) -> str:
    columns = ", ".join(repr(column) for column in missing)
    there = ", ".join(sorted(known)) or "none"
    return (
        f"stage {stage.name!r} needs column {columns}, which no stage before it provides "
        f"({', '.join(s.name for s in before)}); there are: {there}"
    )
