"""Environments that stages ask for."""

from __future__ import annotations

from typing import Any

from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.stage import StageSpec

KEYS = ("env_vars", "py_executable")
"""What works without a network, and the same in every executor."""

_DEVICES = "CUDA_VISIBLE_DEVICES"


def environment_of(stage: StageSpec) -> dict[str, Any] | None:
    """What the workers of a stage have for an environment; None for that of the run.

    Raises:
        ConfigurationError: keys or values that no executor carries out.
    """
    given = stage.runtime_env
    if not given:
        return None
    if unknown := sorted(set(given) - set(KEYS)):
        raise ConfigurationError(
            f"stage {stage.name!r}: runtime_env has {', '.join(unknown)}, only {' and '.join(KEYS)} are "
            "possible: make an environment with what the stage needs, and give its Python as py_executable"
        )
    kept = {key: value for key, value in given.items() if value}
    _check_variables(stage, kept.get("env_vars", {}))
    python = kept.get("py_executable", "")
    if not isinstance(python, str):
        raise ConfigurationError(
            f"stage {stage.name!r}: py_executable is {python!r}, expected the path of a Python as text"
        )
    return kept or None


def _check_variables(stage: StageSpec, variables: Any) -> None:
    is_text = isinstance(variables, dict) and all(
        isinstance(part, str) for pair in variables.items() for part in pair
    )
    if not is_text:
        raise ConfigurationError(
            f"stage {stage.name!r}: env_vars is {variables!r}, expected names and values as text"
        )
    if _DEVICES in variables:
        raise ConfigurationError(
            f"stage {stage.name!r}: env_vars sets {_DEVICES}, which the executor sets for each worker: "
            "say with resources (gpus, gpu_memory_gb) what the stage needs"
        )
