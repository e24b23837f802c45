"""What differs from an earlier run is named by its place and shown."""

from __future__ import annotations

import pytest

from gpucurate.checkpoint.changes import MOST, differences, input_changes


def test_values_within_lists_are_named_by_their_place():
    stages = [{"name": "reader", "blocksize": 1}, {"name": "keep", "fields": ["id", "text"]}]
    other = [{"name": "reader", "blocksize": 2}, {"name": "keep", "fields": ["id", "body"]}]
    assert differences({"keys": {"stages": stages}}, {"keys": {"stages": other}}) == [
        "keys.stages[1].blocksize: 1 then, 2 now",
        'keys.stages[2].fields[2]: "text" then, "body" now',
    ]


def test_lists_of_another_length_are_shown():
    assert differences({"fields": ["a"]}, {"fields": ["a", "b"]}) == ['fields: ["a"] then, ["a","b"] now']


@pytest.mark.parametrize("at", [0, 50, 500, 999])
def test_of_long_values_the_place_is_shown_where_they_differ(at):
    old = "x" * 1000
    new = f"{old[:at]}CHANGED{old[at:]}"
    (told,) = differences({"code": old}, {"code": new})
    then, now = told.split(" then, ")
    assert "CHANGED" in now and "CHANGED" not in then
    assert len(told) < 160


def test_no_more_than_some_are_named():
    numbers = [*range(20)]
    assert len(differences({"n": numbers}, {"n": [-1, *numbers[:-1]]})) == MOST


def test_a_file_that_moved_is_told_by_where_its_paths_part():
    before, now = ("/long" * 20 + end for end in ("/then.jsonl", "/now.jsonl"))
    (told,) = input_changes({"a": (before, 1, 2, None)}, {"a": (now, 1, 2, None)})
    assert 'then.jsonl" then, ' in told and 'now.jsonl" now' in told
