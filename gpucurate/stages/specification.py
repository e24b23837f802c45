"""What planning needs to know of a stage object."""

from __future__ import annotations

from typing import Any

from gpucurate.spec.stage import StageSpec
from gpucurate.stages.base import ProcessingStage, SourceStage
from gpucurate.stages.described import describe_values, source_hash
from gpucurate.stages.function_decorators import FunctionStage

_ATTRIBUTES = {"name", "resources", "batch_size", "runtime_env", "devices", "splittable", "gang"}
_ATTRIBUTES |= {
    "_counters",
    "_dropped",
    "_context",
    "_device",
    "_gpu_memory",
    "_is_watched",
}  # what the worker sets


def specify(stage: ProcessingStage[Any, Any]) -> StageSpec:
    """The specification of a stage.

    Its configuration is what the instance holds before it is set up: public attributes, and
    of stages that are not gpucurate's own the private ones too. What the class lists in
    ``not_in_plan`` does not count: where the output goes, for example. Code that is not
    gpucurate's own counts by its source, so that a changed function is a changed plan; what
    it calls in other places, and values of module globals, do not.
    """
    cls = type(stage)
    config = describe_values(_attributes(stage))
    if foreign := [base for base in cls.__mro__ if not is_own(base)]:
        config["<source>"] = [source_hash(base) for base in foreign]
    if stage.members:
        config["<members>"] = [[m.name, m.kind, m.config] for m in map(specify, stage.members)]
    source = isinstance(stage, SourceStage)
    columns = stage.schema() if isinstance(stage, SourceStage) else None
    return StageSpec(
        name=stage.name,
        kind=f"{cls.__module__}.{cls.__qualname__}",
        config=config,
        inputs=tuple(stage.inputs()[1]),
        outputs=tuple(stage.outputs()[1]),
        resources=stage.resources,
        batch_size=stage.batch_size,
        devices=frozenset(stage.devices),
        runtime_env=stage.runtime_env,
        is_source=source,
        columns=None if columns is None else tuple(columns),
        max_workers=stage.num_workers(),
        piece_bytes=getattr(stage, "piece_bytes", None) if source else None,
        follows_device=stage.follows_device,
        splittable=stage.splittable,
        is_gang=stage.gang,
        is_checkpoint=stage.is_checkpoint,
    )


def _attributes(stage: ProcessingStage[Any, Any]) -> dict[str, Any]:
    mro = type(stage).__mro__
    hidden = _ATTRIBUTES | {name for base in mro for name in base.__dict__.get("not_in_plan", ())}
    own = is_own(type(stage))
    return {
        key: value
        for key, value in sorted(vars(stage).items())
        if key not in hidden and not (own and key.startswith("_"))
    }


def is_users(stage: ProcessingStage[Any, Any]) -> bool:
    """Whether a stage is code of the user's, which on a GPU is written against cuDF."""
    return not is_own(type(stage)) or isinstance(stage, FunctionStage)


def is_own(cls: type) -> bool:
    """Whether a class comes with gpucurate or Python, and so with a version of its own."""
    return cls.__module__.partition(".")[0] in {"gpucurate", "builtins", "abc", "typing"}
