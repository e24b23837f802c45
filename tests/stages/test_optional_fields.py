"""Fields that not every record has."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from gpucurate import InlineExecutor, Pipeline, processing_stage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files: of the second no record has a score."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"text": "x", "score": 1}\n{"text": "y"}\n')
    (tmp_path / "in" / "b.jsonl").write_text('{"text": "z"}\n')
    return tmp_path


def test_a_field_that_no_record_of_a_piece_has_is_null(folder: Path) -> None:
    @processing_stage(name="scored", inputs=["score"])
    def scored(batch: DocumentBatch) -> DocumentBatch:
        return batch.select(batch.to_pandas()["score"].notna().to_numpy())

    reader = JsonlReader(folder / "in", files_per_partition=1)
    result = Pipeline("optional", stages=[reader, scored, JsonlWriter(folder / "out")]).run(InlineExecutor())
    assert (result.report.books.kept, result.report.books.total_dropped) == (1, 2)
    assert json.loads((folder / "out" / "a.jsonl").read_text()) == {"text": "x", "score": 1}
    assert (folder / "out" / "b.jsonl").read_text() == ""


def test_workers_are_not_sent_the_listing(folder: Path) -> None:
    reader = JsonlReader(folder / "in")
    assert len(reader.listing.files) == 2
    assert b"a.jsonl" not in pickle.dumps(reader)
