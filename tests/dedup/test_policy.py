"""What users write about survivors, and what it stands for."""

from __future__ import annotations

import pytest

from gpucurate.dedup.policy import Policy, parse_policy
from gpucurate.spec.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("first", Policy("first")),
        ("longest", Policy("longest")),
        ("max:score", Policy("max", "score")),
        ("min:metadata.score", Policy("min", "metadata.score")),
        ("max:a:b", Policy("max", "a:b")),
        ("prefer:wiki/*,*.parquet", Policy("prefer", "", ("wiki/*", "*.parquet"))),
        ("prefer:lang=en,de", Policy("prefer", "lang", ("en", "de"))),
        ("prefer:*lang=en*", Policy("prefer", "", ("*lang=en*",))),
        ("prefer:data/dump=1/*", Policy("prefer", "", ("data/dump=1/*",))),
        ("prefer:url=http://a=b*", Policy("prefer", "url", ("http://a=b*",))),
    ],
)
def test_a_policy_is_read(text: str, policy: Policy) -> None:
    assert parse_policy(text) == policy


@pytest.mark.parametrize(
    "text", ["best", "", "first:score", "longest:", "max", "min", "prefer", "MAX:score", 3]
)
def test_what_is_no_policy_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(
        ConfigurationError, match="is not a policy: choose first, longest, shortest, max:COLUMN"
    ):
        parse_policy(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max:", "does not say which column"),
        ("prefer:", "does not say which globs"),
        ("prefer:a,,b", "has an empty glob"),
        ("prefer:lang=", "has an empty glob"),
    ],
)
def test_a_policy_that_is_not_whole_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        parse_policy(text)


def test_the_first_glob_that_matches_decides() -> None:
    policy = parse_policy("prefer:wiki/*,*.jsonl")
    assert [policy.preference(path) for path in ("wiki/a.jsonl", "b.jsonl", "b.parquet")] == [3, 2, 1]
