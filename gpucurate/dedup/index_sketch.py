"""What keys were taken by, as plain values: keys of different sketches mean nothing to each other."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from gpucurate.dedup.sketch import Sketch


def sketch_identity(sketch: Sketch) -> dict[str, Any]:
    """All that decides the keys of a text: the kind of the sketch, its parameters, their version.

    >>> sketch_identity(HashSketch(normalized=True))
    {'kind': 'HashSketch', 'normalized': True, 'version': 1}
    """
    identity: dict[str, Any] = _plain(sketch)
    return identity


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        inside = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **inside}
    if isinstance(value, tuple):
        return list(map(_plain, value))
    return value
