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
