"""The release that is pinned documents the values that the tests of MinHash take as an oracle."""

import ast
import re

import pytest

from tests.ops import documented


def examples(rapids, name):
    """What a docstring prints below each of its statements."""
    node = rapids.callables(rapids.look_up(name)).nodes[0]
    blocks = re.split(r"^>>> ", ast.get_docstring(node), flags=re.M)[1:]
    return dict(block.split("\n", 1) for block in blocks if "\n" in block)


def numbers(lines):
    """Of each row of a printed series, without its index."""
    rows = re.findall(r"^\d+\s+(\[.*\]|\d+)$", lines, re.M)
    return [ast.literal_eval(row) for row in rows]


def test_minhash(rapids):
    printed = examples(rapids, "cudf.Series().str.minhash")
    assert numbers(printed["s.str.minhash(0, a=a, b=b, width=5)"]) == documented.DOCSTRING.values


@pytest.mark.parametrize(("seed", "argument"), [(0, ""), (42, ", seed=42")])
def test_murmur3(rapids, seed, argument):
    printed = examples(rapids, "cudf.Series().hash_values")
    assert numbers(printed[f'series.hash_values(method="murmur3"{argument})']) == documented.MURMUR3[seed]
