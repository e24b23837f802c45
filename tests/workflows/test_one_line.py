"""One line in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import gpucurate
from gpucurate.backends.executors import InlineExecutor
from gpucurate.spec.errors import ConfigurationError

TEXTS = ["a cat sat on the mat", "A  CAT sat on the mat", "something else", None, "something else"]


def test_a_pandas_frame_gives_a_pandas_frame() -> None:
    found = gpucurate.fuzzy_dedup(pd.DataFrame({"text": TEXTS, "n": range(5)}))
    assert isinstance(found.kept, pd.DataFrame)
    assert found.kept["n"].tolist() == [0, 2, 3]
    assert found.duplicates == 2
    assert found.clusters.to_pylist()[1] == {"row": 1, "cluster": 0, "cluster_size": 2, "is_kept": False}


def test_an_arrow_table_gives_an_arrow_table() -> None:
    found = gpucurate.exact_dedup(pa.table({"body": TEXTS}), text_field="body")
    assert found.kept.column("body").to_pylist() == TEXTS[:4]


def test_the_longest_member_may_survive() -> None:
    found = gpucurate.fuzzy_dedup(pa.table({"text": TEXTS}), keep="longest")
    assert found.kept.column("text").to_pylist() == [TEXTS[1], TEXTS[2], None]


def test_an_empty_frame_stays_empty() -> None:
    assert gpucurate.fuzzy_dedup(pd.DataFrame({"text": pd.Series([], dtype="str")})).kept.empty


def test_files_are_deduplicated_to_files(make_corpus: Callable[..., Path], tmp_path: Path) -> None:
    result = gpucurate.exact_dedup(make_corpus(), tmp_path / "out", executor=InlineExecutor())
    assert result.report.books.kept == 660
    assert result.clusters().num_rows == 120


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gpucurate.fuzzy_dedup("somewhere/"), "give output="),
        (
            lambda: gpucurate.fuzzy_dedup(pd.DataFrame({"body": TEXTS})),
            "no column 'text': the frame has body",
        ),
        (
            lambda: gpucurate.fuzzy_dedup(pd.DataFrame({"text": TEXTS}), "out"),
            "output means nothing for a frame",
        ),
        (lambda: gpucurate.exact_dedup(pd.DataFrame({"text": TEXTS}), keep="x"), "not a policy"),
    ],
)
def test_what_does_not_go_together_is_said(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        call()


SCORED = pd.DataFrame(
    {"text": ["a", "a", "b", "b"], "score": [1.0, 3.0, None, 2.0], "lang": ["x", "y", "x", "x"],
     "meta": [{"s": 2}, {"s": 1}, {"s": 1}, {"s": 0}]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("keep", "rows"),
    [("max:score", [1, 3]), ("min:score", [0, 3]), ("max:meta.s", [0, 2]), ("prefer:lang=y", [1, 2])],
)
@pytest.mark.parametrize("frame", [SCORED, pa.Table.from_pandas(SCORED)], ids=["pandas", "arrow"])
def test_the_survivor_in_a_frame_is_the_best_by_a_column(frame: object, keep: str, rows: list[int]) -> None:
    for dedup in (gpucurate.exact_dedup, gpucurate.fuzzy_dedup):
        found = dedup(frame, keep=keep).clusters.to_pylist()
        assert [row["row"] for row in found if row["is_kept"]] == rows


def test_duplicates_of_a_frame_are_looked_for_within_a_value_only() -> None:
    for dedup in (gpucurate.exact_dedup, gpucurate.fuzzy_dedup):
        assert dedup(SCORED, within="lang").duplicates == 1
        assert dedup(SCORED).duplicates == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"keep": "max:nope"}, "no column 'nope': the frame has text, score, lang, meta"),
        ({"within": "nope.x"}, r"no column 'nope\.x': the frame has"),
        ({"keep": "prefer:wiki/*"}, "has no paths to prefer"),
        ({"sample": "1%"}, "sample means nothing for a frame in memory"),
    ],
)
def test_what_a_frame_cannot_do_is_told(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        gpucurate.exact_dedup(SCORED, **options)
