"""Lines and paragraphs of a frame in memory, in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpucurate
from gpucurate.backends.executors import InlineExecutor
from gpucurate.spec.errors import ConfigurationError
from tests.ops.test_segments import documents
from tests.workflows.segment_oracle import Settings, remaining

FOOTER = "All rights reserved, 2024"
TEXTS = [f"A\n{FOOTER}", f"{FOOTER.upper()}\r\nB", None, FOOTER]


def test_a_pandas_frame_gives_a_pandas_frame() -> None:
    frame = pd.DataFrame({"text": TEXTS, "n": range(4)}, index=[7, 8, 9, 10])
    found = gpucurate.line_dedup(frame)
    assert found.kept["text"].tolist()[:2] == [TEXTS[0], "B"]
    assert found.kept["n"].tolist() == [0, 1, 2]
    assert found.kept["text"].isna().tolist() == [False, False, True]
    assert found.kept["text"].dtype == frame["text"].dtype
    assert found.cuts.to_pylist() == [
        {"row": 1, "start": 0, "stop": 25, "count": 3, "first_row": 0},
        {"row": 3, "start": 0, "stop": 25, "count": 3, "first_row": 0},
    ]
    assert frame["text"].tolist()[:2] == TEXTS[:2]  # what was given is as it was


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_an_arrow_table_keeps_its_types(kind: pa.DataType) -> None:
    table = pa.table({"n": range(4), "body": pa.array(TEXTS).cast(kind)})
    found = gpucurate.line_dedup(table, text_field="body", keep="none", drop_empty=False)
    assert found.kept.schema == table.schema
    assert found.kept.column("body").to_pylist() == ["A", "B", None, ""]


def test_paragraphs_within_their_document() -> None:
    text = "A paragraph that\nis repeated.\n\nother\n\nA paragraph  that\nis repeated."
    found = gpucurate.paragraph_dedup(pa.table({"text": [text, text]}), scope="document")
    assert found.kept.column("text").to_pylist() == ["A paragraph that\nis repeated.\n\nother"] * 2


@settings(deadline=None)
@given(documents, st.sampled_from(["line", "paragraph"]), st.sampled_from(["corpus", "document"]),
       st.sampled_from(["first", "none"]), st.integers(1, 4), st.integers(2, 3), st.booleans())  # fmt: skip
def test_any_frame(
    texts: list[str | None],
    grain: str,
    scope: str,
    keep: str,
    min_length: int,
    min_count: int,
    normalize: bool,
) -> None:
    dedup = gpucurate.line_dedup if grain == "line" else gpucurate.paragraph_dedup
    found = dedup(
        pa.table({"text": pa.array(texts, pa.string())}),
        scope=scope,
        keep=keep,
        min_length=min_length,
        min_count=min_count,
        normalize_text=normalize,
    )
    given_settings = Settings(grain, scope, keep, min_length, min_count, normalize)
    rest = remaining([text or "" for text in texts], given_settings)
    expected = [None if text is None else left for text, left in zip(texts, rest, strict=True)]
    dropped = [left is None for left in rest]
    assert found.kept.column("text").to_pylist() == [
        left for left, is_dropped in zip(expected, dropped, strict=True) if not is_dropped
    ]


def test_frames_without_rows_or_without_text_stay_as_they_are() -> None:
    assert gpucurate.line_dedup(pd.DataFrame({"text": pd.Series([], dtype="str")})).kept.empty
    assert gpucurate.line_dedup(pa.table({"text": [None, None]})).kept.num_rows == 2


def test_files_are_deduplicated_to_files(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text":"All rights reserved, 2024\\nA"}\n' * 2)
    result = gpucurate.paragraph_dedup(tmp_path / "in.jsonl", tmp_path / "out", executor=InlineExecutor())
    assert result.report.books.dropped == {"empty after cuts": 1}
    assert (tmp_path / "out" / "in.jsonl").read_text() == '{"text":"All rights reserved, 2024\\nA"}\n'


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gpucurate.line_dedup("somewhere/"), "give output="),
        (lambda: gpucurate.line_dedup(pd.DataFrame({"body": TEXTS})), "no column 'text': the frame has body"),
        (
            lambda: gpucurate.line_dedup(pd.DataFrame({"text": TEXTS}), "out"),
            "output means nothing",
        ),
        (
            lambda: gpucurate.line_dedup(pd.DataFrame({"text": TEXTS}), format="parquet", list_cuts=True),
            "format, list_cuts means nothing for a frame",
        ),
        (lambda: gpucurate.line_dedup(pd.DataFrame({"text": TEXTS}), keep="x"), "not a policy"),
        (lambda: gpucurate.line_dedup(pd.DataFrame({"text": TEXTS}), nonsense=1), "no such option: nonsense"),
    ],
)
def test_what_does_not_go_together_is_said(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        call()
