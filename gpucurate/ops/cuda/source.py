"""Kernel sources as they go to NVRTC: in one piece, so that what is compiled is what is named."""

from __future__ import annotations

import re

from gpucurate.ops.kernels import kernel_source

OPTIONS: tuple[str, ...] = ("-std=c++17",)
"""For every kernel, besides those that CuPy adds and an operation's own ``-D``."""

_INCLUDE = re.compile(r'^#include "([\w.]+\.cuh)"$', re.MULTILINE)


def complete_source(name: str) -> str:
    """The kernel source ``name`` with the headers it includes in their places.

    CuPy keeps compiled kernels by the text of their source: an include that stayed one would
    hide an edited header from it. ``#line`` keeps the names of files and lines in messages.

    Raises:
        ConfigurationError: no such source, or a header of it is missing.
    """
    return _expand(f"{name}.cu", set())


def _expand(file: str, seen: set[str]) -> str:
    """The text of ``file``; each header once, as ``#pragma once`` says."""
    seen.add(file)
    parts, line = [f'#line 1 "{file}"\n'], 1
    text = kernel_source(file).replace("#pragma once\n", "\n")
    for piece in text.splitlines(keepends=True):
        included = _INCLUDE.match(piece)
        line += 1
        if included is None:
            parts.append(piece)
        elif included[1] not in seen:
            parts += [_expand(included[1], seen), f'#line {line} "{file}"\n']
        else:
            parts.append("\n")
    return "".join(parts)
