"""Verified pairs and clusters on natural near-duplicates whose similarity is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
import zstandard

from gpucurate.backends.executors import LocalExecutor
from gpucurate.ops.minhash import candidate_probability
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.workflows.tree import clusters

pytestmark = pytest.mark.truth

ROUNDED = 1e-6
"""The truth is told to six digits."""

WORDS_DIFFER = 0.01
"""Words of the truth are Python's ``\\w+``: a mark within a word ends it there, and Han and Kana run on."""

THRESHOLD = 0.8
SHAPES = {
    "j_char24": {"preset": "nemo", "normalize_text": False},
    "j_char5": {"num_bands": 16, "normalize_text": False},
    "j_word5": {"preset": "fineweb", "normalize_text": True},  # the truth is of lower-cased words
}


class Truth:
    """Similarity of pairs of rows of the data set."""

    def __init__(self, folder: Path, column: str) -> None:
        packed = (folder / "docs.jsonl.zst").read_bytes()
        data = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj().decompress(packed)
        documents = [orjson.loads(line) for line in data.splitlines()]
        row = {document["id"]: number for number, document in enumerate(documents)}
        pairs = pq.read_table(folder / "pairs.parquet", columns=["id_a", "id_b", column]).to_pylist()
        self.of = {tuple(sorted((row[p["id_a"]], row[p["id_b"]]))): p[column] for p in pairs}
        if column == "j_word5":
            spaced = {number for number, one in enumerate(documents) if one["lang"] not in ("zh", "ja")}
            self.of = {pair: j for pair, j in self.of.items() if set(pair) <= spaced}
        self.within = WORDS_DIFFER if column == "j_word5" else ROUNDED


@pytest.mark.parametrize(
    ("column", "linkage"), [*((column, "component") for column in SHAPES), ("j_char24", "survivor")]
)
def test_accepted_pairs_and_similarities_are_true(
    column: str, linkage: str, truth_data: Path, tmp_path: Path
) -> None:
    """Precision is 1 over accepted pairs, recall by clusters that of the S-curve less 0.01."""
    truth = Truth(truth_data / "neardup-revisions", column)
    workflow = FuzzyDeduplicationWorkflow(
        truth_data / "neardup-revisions" / "docs.jsonl.zst",
        tmp_path / "out",
        verify="exact",
        threshold=THRESHOLD,
        linkage=linkage,
        perform_removal=False,
        **SHAPES[column],
    )
    workflow.run(LocalExecutor(2))
    edges = pq.read_table(tmp_path / "out" / "_gpucurate" / "edges").to_pylist()
    known = {(e["id_a"], e["id_b"]): e["similarity"] for e in edges if (e["id_a"], e["id_b"]) in truth.of}
    assert len(known) > 1000
    assert len(known) == len(edges) or column == "j_word5"  # all pairs from 0.2 up are known
    assert min(edge["similarity"] for edge in edges) >= THRESHOLD
    assert min(truth.of[pair] for pair in known) >= THRESHOLD
    assert max(abs(truth.of[pair] - value) for pair, value in known.items()) < truth.within
    rows = clusters(tmp_path / "out")
    _check_similarity(rows, truth, linkage)
    if linkage == "component":
        _check_recall(rows, truth, workflow)


def _check_similarity(rows: list[dict], truth: Truth, linkage: str) -> None:
    survivor = {row["cluster"]: row["id"] for row in rows if row["is_kept"]}
    others = [row for row in rows if not row["is_kept"]]
    assert all(row["similarity"] == 1.0 for row in rows if row["is_kept"])
    for row in others:
        pair = tuple(sorted((survivor[row["cluster"]], row["id"])))
        if pair in truth.of:
            assert abs(truth.of[pair] - row["similarity"]) < truth.within
    if linkage == "survivor":
        assert min(row["similarity"] for row in others) >= np.float32(THRESHOLD)


def _check_recall(rows: list[dict], truth: Truth, workflow: FuzzyDeduplicationWorkflow) -> None:
    of_row = {row["id"]: row["cluster"] for row in rows}
    wanted = [pair for pair, j in truth.of.items() if j >= THRESHOLD]
    params = workflow.minhash.params
    promised = np.mean([candidate_probability(truth.of[pair], params.bands, params.rows) for pair in wanted])
    assert np.mean([of_row.get(a, -1) == of_row.get(b, -2) for a, b in wanted]) >= promised - 0.01
