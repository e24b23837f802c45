"""Events as plain values, for a log in JSON lines, and back: a field failure becomes a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gpucurate.spec.cluster import Gpu, Node
from gpucurate.spec.errors import InputError
from gpucurate.spec.events import (
    Event,
    InputLost,
    NodeDown,
    NodeUp,
    SetupFailed,
    StopRequested,
    Tick,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.figures import Figures, MemorySample
from gpucurate.spec.suspect import Suspect

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        WorkerReady,
        WorkerDied,
        SetupFailed,
        UnitDone,
        UnitFailed,
        InputLost,
        NodeUp,
        NodeDown,
        Tick,
        StopRequested,
    )
}


def to_plain(event: Event) -> dict[str, Any]:
    """An event as a dictionary of plain values; its kind is under ``event``."""
    if type(event) is UnitDone:  # nearly all events: written out, because it is done for each
        return {
            "event": "UnitDone",
            "worker": event.worker,
            "unit": event.unit,
            "figures": _plain_figures(event.figures),
        }
    plain = {"event": type(event).__name__, **asdict(event)}
    if type(event) is UnitFailed:
        plain["figures"] = _plain_figures(event.figures)
    return plain


def from_plain(plain: dict[str, Any]) -> Event:
    """The event that :func:`to_plain` was given; keys that no event has are an error.

    Raises:
        InputError: no event of this kind, or values that it does not have.
    """
    values = dict(plain)
    name = values.pop("event", None)
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InputError(f"an event log holds {name!r}, which is no event; events are {', '.join(_KINDS)}")
    try:
        for key, restore in _RESTORED.items():
            if key in values and isinstance(values[key], dict | list):
                values[key] = restore(values[key])
        event: Event = kind(**values)
    except (TypeError, KeyError) as error:
        raise InputError(f"an event log holds {plain}, which is no {name}: {error}") from error
    return event


def _plain_figures(figures: Figures) -> list[Any]:
    samples = [[s.nbytes, s.peak, s.fitted, s.limit] for s in figures.samples] if figures.samples else []
    plain = [figures.seconds, figures.output_bytes, figures.memory, figures.gpu_memory, samples]
    return [*plain, list(figures.growth)] if figures.growth else plain


def _figures(plain: list[Any]) -> Figures:
    seconds, output_bytes, memory, gpu_memory, samples, *growth = plain
    return Figures(
        seconds,
        output_bytes,
        memory,
        gpu_memory,
        tuple(MemorySample(*sample) for sample in samples),
        tuple(*growth),
    )


def _node(plain: dict[str, Any]) -> Node:
    return Node(**{**plain, "gpus": tuple(Gpu(**gpu) for gpu in plain["gpus"])})


_RESTORED: dict[str, Callable[[Any], Any]] = {
    "figures": _figures,
    "suspect": lambda plain: Suspect(**plain),
    "node": _node,
}
