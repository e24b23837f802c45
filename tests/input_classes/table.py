"""The classes of input by their numbers, as docs/input.md tells them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.input_classes.files import BAD_FILES

FIRST, LAST = 1, 64

_FULL_DISK = "test_a_full_output_is_a_sentence_and_the_run_goes_on_when_there_is_room"

ELSEWHERE = {
    59: f"tests/chaos/test_full_disk.py::{_FULL_DISK}",
    62: "tests/io/test_store.py::test_an_object_that_was_replaced_is_noticed",
}
"""Classes that tests of other things hold."""


class Row(NamedTuple):
    """A row of the table."""

    number: int
    input: str
    outcome: str
    held_by: str


def rows_of(page: str) -> list[Row]:
    """The rows of the tables in a page of Markdown that begin with a number."""
    cells = ([c.strip() for c in line.strip("|").split(" | ")] for line in page.splitlines())
    return [Row(int(c[0]), *c[1:]) for c in cells if len(c) == 4 and c[0].isdigit()]


def held() -> dict[int, set[str]]:
    """By what each class is held: ``files`` beside good ones, a ``test`` here, or one ``elsewhere``."""
    found: dict[int, set[str]] = {number: set() for number in range(FIRST, LAST + 1)}
    for bad in BAD_FILES.values():
        found[bad.number].add("files")
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for test in _tests(path):
            for number in _numbers(test):
                found[number].add("test")
    for number in ELSEWHERE:
        found[number].add("elsewhere")
    return found


def is_there(repository: Path, test: str) -> bool:
    """Whether a test of this name is in its file."""
    path, _, name = test.partition("::")
    return name in _tests(repository / path)


def _tests(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def _numbers(test: str) -> Iterator[int]:
    for part in test.removeprefix("test_").split("_"):
        if not part.isdigit():
            return
        yield int(part)
