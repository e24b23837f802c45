"""Whether a call fits what is called: read from its source, or from the function itself."""

from __future__ import annotations

import ast
import inspect
from inspect import Parameter, Signature

from tests.rapids.sources import Function, Sources
from tests.rapids.uses import Call, Use


def objection(sources: Sources, use: Use) -> str | None:
    """What is wrong with a use, or None; calls that cannot be read are not objected to."""
    thing = sources.look_up(use.name)
    if thing is None:
        return f"{use.place}: {use.name} does not exist"
    function = sources.callables(thing) if use.call else None
    if use.call is None or function is None:
        return None
    reasons = [misfit(signature, use.call) for signature in written_signatures(function)]
    return None if None in reasons else f"{use.place}: {use.name}: {reasons[0]}"


def misfit(signature: Signature, call: Call) -> str | None:
    """Why a call does not fit a signature, in Python's words, or None where it does."""
    bind = signature.bind_partial if call.is_open else signature.bind
    try:
        bind(*[None] * call.positional, **dict.fromkeys(call.keywords))
    except TypeError as error:
        return str(error)
    return None


def written_signatures(function: Function) -> list[Signature]:
    """Of each overload, as whoever calls it through its class or an instance sees it."""
    return [_signature(node, bound=function.owner is not None) for node in function.nodes]


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, bound: bool) -> Signature:
    given = node.args
    first_default = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    parameters = [
        _parameter(a.arg, kind, at >= first_default)
        for at, (a, kind) in enumerate(
            [(a, Parameter.POSITIONAL_ONLY) for a in given.posonlyargs]
            + [(a, Parameter.POSITIONAL_OR_KEYWORD) for a in given.args]
        )
    ]
    if bound and not _is_static(node):
        parameters = parameters[1:]
    if given.vararg:
        parameters.append(Parameter(given.vararg.arg, Parameter.VAR_POSITIONAL))
    for a, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        parameters.append(_parameter(a.arg, Parameter.KEYWORD_ONLY, default is not None))
    # A ``**kwargs`` behind named parameters would swallow any misspelt one.
    if given.kwarg and all(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
        parameters.append(Parameter(given.kwarg.arg, Parameter.VAR_KEYWORD))
    return Signature(parameters)


def _parameter(name: str, kind: inspect._ParameterKind, is_optional: bool) -> Parameter:
    return Parameter(name, kind, default=None if is_optional else Parameter.empty)


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
