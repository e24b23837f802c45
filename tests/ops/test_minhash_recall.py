"""Near-duplicates with known similarity are found as often as theory says."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import zstandard

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.minhash import PRESETS, band_keys, candidate_probability

ALPHABETIC = {"en", "pt", "es"}  # the truth for words means little in zh and ja


@pytest.fixture
def revisions(truth_data):
    folder = truth_data / "neardup-revisions"
    with (folder / "docs.jsonl.zst").open("rb") as file:
        reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file)
        documents = [json.loads(line) for line in reader.read().splitlines()]
    return documents, pq.read_table(folder / "pairs.parquet").to_pydict()


@pytest.mark.truth
@pytest.mark.parametrize(
    ("preset", "column", "languages"),
    [("nemo", "j_char24", None), ("fineweb", "j_word5", ALPHABETIC)],
)
def test_recall_of_revisions(revisions, preset, column, languages):
    documents, pairs = revisions
    params = PRESETS[preset].params
    kept = [d for d in documents if languages is None or d["lang"] in languages]
    place = {d["id"]: i for i, d in enumerate(kept)}
    keys, _ = band_keys(TextBuffers.from_strings(d["text"] for d in kept), params)
    rows = [
        (place[a], place[b], j)
        for a, b, j in zip(pairs["id_a"], pairs["id_b"], pairs[column], strict=True)
        if j >= 0.8 and a in place and b in place
    ]
    left, right, jaccard = (np.array(values) for values in zip(*rows, strict=True))
    found = (keys[left] == keys[right]).any(axis=1).mean()
    curve = np.mean([candidate_probability(j, params.bands, params.rows) for j in jaccard])
    assert len(rows) > 1500
    assert found == pytest.approx(curve, abs=0.01)
