"""Every regular expression of the package is linear in what it is given."""

from __future__ import annotations

import ast
import importlib
import re
import time
from pathlib import Path

import pytest

import gpucurate

ROOT = Path(gpucurate.__file__).parent
MEGABYTE, TENTH = 1_000_000, 100_000
PIECES = {"a": MEGABYTE, "((": MEGABYTE, " ": MEGABYTE} | dict.fromkeys(
    ["1", "-", "a-", "://", "'", '"', "?", "\\", "{", ":", "x-amz-", "1e", "token=", "'token'", "\u00e9"],
    TENTH,
)
SECONDS = 4.0
"""Of the processor: a megabyte takes a tenth to a second, and where it goes by the square, minutes."""


def patterns():
    """(module, name) of each expression that a module compiles at its top, and how it is used there."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, ast.Assign) and "re.compile(" in ast.unparse(node.value):
                name = ast.unparse(node.targets[0])
                module = ".".join(("gpucurate", *path.relative_to(ROOT).with_suffix("").parts))
                found = set(
                    re.findall(rf"\b{name}\.(match|fullmatch|search|sub|finditer|split)\(", path.read_text())
                )
                yield module, name, tuple(sorted(found or {"search"}))


FOUND = list(patterns())


def seconds(use, text):
    began = time.process_time()
    use(text)
    return time.process_time() - began


def check(use, make):
    for piece, size in PIECES.items():
        assert seconds(use, make(piece * (size // len(piece)))) < SECONDS, piece


def test_the_expressions_are_found():
    assert len(FOUND) > 12
    assert any(name == "_TOKEN" and uses == ("finditer",) for _, name, uses in FOUND)


@pytest.mark.parametrize(("module", "name", "uses"), FOUND, ids=[f"{m}.{n}" for m, n, _ in FOUND])
def test_an_expression_is_linear_in_a_megabyte(module, name, uses):
    if "generate" in module:
        pytest.skip("makes tables, and is never run by the package")
    pattern = getattr(importlib.import_module(module), name)
    is_bytes = isinstance(pattern.pattern, bytes)
    for use in uses:
        method = getattr(pattern, use)
        apply = {"sub": lambda text, m=method: m(b"" if isinstance(text, bytes) else "", text),
                 "finditer": lambda text, m=method: sum(1 for _ in m(text))}.get(use, method)  # fmt: skip
        check(apply, (lambda text: text.encode()) if is_bytes else (lambda text: text))
