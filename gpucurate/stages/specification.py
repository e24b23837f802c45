"""What planning needs to know of a stage object."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import PurePath
from typing import Any

from gpucurate.spec.stage import StageSpec
from gpucurate.stages.base import ProcessingStage, SourceStage

_ATTRIBUTES = {"name", "resources", "batch_size", "runtime_env", "devices"}


def specify(stage: ProcessingStage[Any, Any], exclude: frozenset[str] = frozenset()) -> StageSpec:
    """The specification of a stage.

    Its configuration is every public attribute of the instance; code that is not
    gpucurate's own counts by its source, so that a changed function is a changed plan.

    Args:
        stage: the stage.
        exclude: attributes that do not change results, such as where the output goes.
    """
    hidden = _ATTRIBUTES | exclude | set(getattr(stage, "not_in_plan", ()))
    config = {
        key: _plain(value)
        for key, value in sorted(vars(stage).items())
        if key[0] != "_" and key not in hidden
    }
    cls = type(stage)
    if not cls.__module__.startswith("gpucurate."):
        config["<source>"] = _source_hash(cls)
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
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(_plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, functools.partial):
        return [_plain(value.func), _plain(value.args), _plain(value.keywords)]
    if callable(value):
        return [_qualified(value), _source_hash(value)]
    return [_qualified(type(value)), _plain(getattr(value, "__dict__", {}))]


def _qualified(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def _source_hash(value: type | Callable[..., Any]) -> str:
    try:
        text = inspect.getsource(value)
    except (OSError, TypeError):  # typed at a prompt, or built in
        code = getattr(value, "__code__", None)
        text = repr(code.co_code) if code is not None else _qualified(value)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
