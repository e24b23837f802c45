"""The page of definitions is true."""

import re

import numpy as np
import pytest

from gpucurate.frame.text import TextBuffers
from gpucurate.ops import ALGORITHMS_VERSION
from gpucurate.ops.document_hash import document_hash
from gpucurate.ops.minhash import PRESETS, MinHashParams, band_keys, signatures
from gpucurate.ops.segments import cut_spans, remove_spans, split


@pytest.fixture
def page(repository):
    return (repository / "docs" / "algorithms.md").read_text()


def row(page, *cells):
    """The hexadecimal cells that follow those given in a row of a table."""
    line = next(line for line in page.splitlines() if line.startswith("| " + " | ".join(cells) + " |"))
    return [re.sub("`", "", cell).split() for cell in line.split("|")[len(cells) + 1 : -1]]


def test_version(page):
    assert f"`ALGORITHMS_VERSION` is {ALGORITHMS_VERSION}**" in page


@pytest.mark.parametrize(("cell", "document"), [("empty", ""), ("`hello world`", "hello world")])
def test_document_hashes(page, cell, document):
    found = document_hash(TextBuffers.from_strings([document]))[0]
    assert row(page, cell) == [[f"{half:016x}" for half in found]]


@pytest.mark.parametrize(
    ("cell", "params"),
    [
        ("2 x 2, char 5, seed 0", MinHashParams(2, 2, "char", 5)),
        ("2 x 2, word 1, seed 0", MinHashParams(2, 2, "word", 1)),
        ("2 x 2, char 5, seed 0, `fss`", MinHashParams(2, 2, rule="fss")),
        ("2 x 2, char 5, seed 42, `nvtext32`", MinHashParams(2, 2, seed=42, rule="nvtext32")),
        ("2 x 2, char 5, seed 42, `nvtext64`", MinHashParams(2, 2, seed=42, rule="nvtext64")),
    ],
)
def test_signatures_and_band_keys(page, cell, params):
    text = TextBuffers.from_strings(["hello world"])
    values, (keys, _) = signatures(text, params)[0], band_keys(text, params)
    digits = 2 * values.itemsize
    assert row(page, "`hello world`", cell) == [
        [f"{v:0{digits}x}" for v in values],
        [f"{k:016x}" for k in keys[0]],
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_presets(page, name):
    params = PRESETS[name].params
    kind = "characters" if params.shingle == "char" else "words"
    normalized = "yes" if PRESETS[name].normalize else "no"
    cells = [name, f"{params.ngram} {kind}", f"{params.bands} x {params.rows}", params.seed, normalized]
    assert f"| {' | '.join(map(str, cells))} | `{params.rule}` |" in page


@pytest.mark.parametrize(
    ("document", "gone", "cells"),
    [
        ("a\nb\r\nc", "b", "`a\\n` `b\\r\\n` `c` | `b`"),
        ("a\nb\r\nc", "bc", "`a\\n` `b\\r\\n` `c` | `b`, `c`"),
        ("a\nb\r\n", "b", "`a\\n` `b\\r\\n` | `b`"),
        ("a\nb\r\n", "ab", "`a\\n` `b\\r\\n` | `a`, `b`"),
    ],
)
def test_cuts_of_lines(page, document, gone, cells):
    text = TextBuffers.from_strings([document])
    found = split(text, "line")
    cut = np.array([chr(text.data[start]) in gone for start in found.starts])
    rest = remove_spans(text, cut_spans(text, found, cut)).document(0).decode()
    shown = rest.encode("unicode_escape").decode()
    assert f"| {cells} | {f'`{shown}` |' if rest else '|'}" in page
