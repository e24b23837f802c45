"""A damaged file is told of by the place where it is not what it has to be."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gpucurate.checkpoint.shape import Row, check_shape
from gpucurate.checkpoint.state_files import parse_state
from gpucurate.cli.app import run
from tests.input_classes.declared import texts

SHAPE = {"pairs": [Row((str, int))], "how": frozenset({"exact", "estimate"}), "each": {"*": int}, "may?": str}
GOOD = {"pairs": [["a", 1]], "how": "exact", "each": {"x": 1}}


@pytest.mark.parametrize("more", [{}, {"may": "be"}, {"pairs": []}, {"else": None}])
def test_a_value_of_the_shape_goes_through(more: dict[str, Any]) -> None:
    check_shape(GOOD | more, SHAPE)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pairs": {}}, "it.pairs is of type dict"),
        ({"pairs": [["a", 1], ["a"]]}, r"it.pairs\[1\] has 1 values instead of 2"),
        ({"pairs": [["a", "1"]]}, r"it.pairs\[0\]\[1\] is of type str"),
        ({"how": "guessed"}, "it.how is 'guessed'"),
        ({"how": ["exact"]}, "it.how is of type list"),
        ({"each": {"x": 1, "y": None}}, "it.each.y is of type NoneType"),
        ({"may": 5}, "it.may is of type int"),
    ],
)
def test_one_that_is_not_is_told_of_by_its_place(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_shape(GOOD | wrong, SHAPE)


def test_what_has_to_be_there_is_missed() -> None:
    with pytest.raises(ValueError, match="it has no 'how'"):
        check_shape({"pairs": [], "each": {}}, SHAPE)


@pytest.mark.parametrize("wrong", [{"clusters": {"count": 3}}, {"clusters": 3}, {"ignored": [["path"]]}])
def test_a_finished_run_whose_report_is_damaged_says_so(tmp_path, capsys, wrong: dict[str, Any]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jsonl").write_bytes(texts("equal", 3) + texts("other", 2))
    command = ["dedup", "exact", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--quiet"]
    assert run(command) == 0
    report = tmp_path / "out/_gpucurate/report.json"
    report.write_bytes(orjson.dumps(parse_state("report.json", report.read_bytes()) | wrong))
    capsys.readouterr()
    assert run(command) == 6
    assert str(report) in capsys.readouterr().err
