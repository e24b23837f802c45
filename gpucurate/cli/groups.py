"""Groups of options that several commands take: each is declared once, as a dataclass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def expand(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are dataclasses are replaced by their fields.

    The fields' types are annotated with ``typer.Option``, their defaults are those of the
    options; the command is called with instances.

    >>> @dedup.command()
    ... @expand
    ... def exact(inputs: Inputs, *, run: RunOptions) -> None: ...
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    parameters = [
        one
        for parameter in signature(command).parameters.values()
        for one in _parameters(parameter, hints, groups)
    ]

    def expanded(**given: Any) -> None:
        made = {
            name: kind(**{field.name: given.pop(field.name) for field in fields(kind)})
            for name, kind in groups.items()
        }
        command(**given, **made)

    expanded.__name__ = command.__name__
    expanded.__doc__ = command.__doc__
    expanded.__annotations__ = {one.name: one.annotation for one in parameters}
    expanded.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return expanded


def _parameters(parameter: Parameter, hints: dict[str, Any], groups: dict[str, Any]) -> list[Parameter]:
    if parameter.name not in groups:
        return [parameter.replace(annotation=hints[parameter.name], kind=Parameter.KEYWORD_ONLY)]
    kind = groups[parameter.name]
    types = get_type_hints(kind, include_extras=True)
    return [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=_default(field), annotation=types[field.name])
        for field in fields(kind)
    ]


def _default(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default
