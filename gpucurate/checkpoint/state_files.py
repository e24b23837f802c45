"""Small files of a run folder, and what those must hold that are read by more than comparison."""

from __future__ import annotations

from typing import Any

import orjson

from gpucurate.checkpoint.report_shape import REPORT
from gpucurate.checkpoint.shape import Shape, check_shape

_SHAPES: dict[str, Shape] = {
    "run.json": {"kind": str, "decides": dict, "format?": int, "input?": {"digest": str}},
    "manifest.json": {"files": [{"name": str, "rows": int, "bytes": int, "checksum": str}]},
    "report.json": REPORT,
    "lock": {"pid": int, "host": str, "since?": (int, float)},
    "phases/": {"fingerprint": str, "decides": dict, "units": int},
}


def parse_state(name: str, content: bytes) -> Any:
    """What a small file of the run folder holds.

    Args:
        name: in the run folder.
        content: its bytes.

    Raises:
        ValueError: not JSON, or not what a file of this name holds; the message says what is wrong.
    """
    values = orjson.loads(content)
    shape = _SHAPES.get(name) or _SHAPES.get(name.partition("/")[0] + "/")
    if shape is not None:
        check_shape(values, shape)
    return values
