"""Recall on natural near-duplicates whose similarity is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
import zstandard

from gpucurate.backends.executors import LocalExecutor
from gpucurate.ops.minhash import PRESETS, candidate_probability
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.workflows.tree import clusters


@pytest.mark.truth
@pytest.mark.parametrize(("preset", "column"), [("nemo", "j_char24"), ("fineweb", "j_word5")])
def test_recall_follows_the_s_curve(preset: str, column: str, truth_data: Path, tmp_path: Path) -> None:
    """Of the pairs at 0.8 and more, the whole command joins what the S-curve promises, less 0.01."""
    folder = truth_data / "neardup-revisions"
    packed = (folder / "docs.jsonl.zst").read_bytes()
    data = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj().decompress(packed)
    documents = [orjson.loads(line) for line in data.splitlines()]
    workflow = FuzzyDeduplicationWorkflow(
        folder / "docs.jsonl.zst",
        tmp_path / "out",
        preset=preset,
        normalize_text=False,
        perform_removal=False,
    )
    workflow.run(LocalExecutor(2))
    of_row = {row["row"]: row["cluster"] for row in clusters(tmp_path / "out")}
    of_id = {document["id"]: of_row.get(row, -1 - row) for row, document in enumerate(documents)}
    spaced = {document["id"] for document in documents if document["lang"] not in ("zh", "ja")}
    pairs = pq.read_table(folder / "pairs.parquet").to_pylist()
    wanted = [
        pair
        for pair in pairs
        if pair[column] >= 0.8 and (column != "j_word5" or {pair["id_a"], pair["id_b"]} <= spaced)
    ]
    params = PRESETS[preset].params
    promised = np.mean([candidate_probability(p[column], params.bands, params.rows) for p in wanted])
    recall = np.mean([of_id[p["id_a"]] == of_id[p["id_b"]] for p in wanted])
    assert len(wanted) > 1500
    assert recall >= promised - 0.01
