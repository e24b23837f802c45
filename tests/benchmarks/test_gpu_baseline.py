"""The GPU benchmark's baseline finds what it should: its logic over pandas, since cuDF needs a device."""

import importlib
import json
import sys
from pathlib import Path

import networkx
import numpy as np
import pandas as pd
import pytest

from benchmarks.gpu import text

STAND_IN = Path(__file__).parent / "stand_in"
PATCHED = [(pd.DataFrame, name) for name in ("merge", "to_json", "hash_values")] + [
    (pd.Series, "list"),
    (type(pd.Series([""]).str), "minhash"),
    (type(pd.Series([""]).str), "minhash64"),
]
"""What the stand-in gives pandas."""


@pytest.fixture
def baseline(cuda, monkeypatch):
    """The module, with pandas under cuDF's name; pandas is put back as it was."""
    for owner, name in PATCHED:
        monkeypatch.setattr(owner, name, getattr(owner, name, None), raising=False)
    sys.path.insert(0, str(STAND_IN))
    try:
        yield importlib.import_module("benchmarks.gpu.curator_baseline")
    finally:
        sys.path.remove(str(STAND_IN))
        for name in ("cudf", "benchmarks.gpu.curator_baseline"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("seed", range(5))
def test_components_are_those_of_the_graph(baseline, seed):
    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, 60, (40, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    found = baseline.components(pd.DataFrame({"one": pairs[:, 0], "other": pairs[:, 1]}))
    graph = networkx.Graph(pairs.tolist())
    expected = {node: min(part) for part in networkx.connected_components(graph) for node in part}
    assert dict(zip(found["node"].tolist(), found["label"].tolist(), strict=True)) == expected


def test_a_long_chain_is_one_component(baseline):
    chain = np.random.default_rng(0).permutation(500)
    found = baseline.components(pd.DataFrame({"one": chain[:-1], "other": chain[1:]}))
    assert set(found["label"]) == {0}


def test_no_edges_are_no_components(baseline):
    assert len(baseline.components(pd.DataFrame({"one": [], "other": []}, dtype=np.int64))) == 0


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_what_is_kept_is_what_the_preset_keeps(baseline, tmp_path, monkeypatch, format):
    """Blocks of a file each, so that ids go on from one to the next."""
    from gpucurate.backends.executors import InlineExecutor
    from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

    text.build(tmp_path / "in", 600_000, 200_000, 1)
    files = text.parts(tmp_path / "in", format)
    monkeypatch.setattr(baseline, "BLOCK_BYTES", 1)
    found = baseline.Baseline(tmp_path / "theirs", format, files)
    found.run()
    ours = FuzzyDeduplicationWorkflow(files, tmp_path / "ours", preset="nemo").run(InlineExecutor())
    assert found.kept == ours.report.books.kept < ours.report.books.read
    assert set(found.stages) == {"minhash", "buckets", "edges", "components", "removal"}
    read = baseline.cudf.read_parquet if format == "parquet" else pd.read_json
    options = {} if format == "parquet" else {"lines": True}
    kept = pd.concat(read(path, **options) for path in sorted((tmp_path / "theirs").glob(f"*.{format}")))
    same = pd.concat(read(path, **options) for path in sorted((tmp_path / "ours").glob(f"*.{format}")))
    assert kept["id"].tolist() == same["id"].tolist()


def test_cudfs_minhash_stands_beside_ours_on_the_same_column(baseline, cuda, tmp_path, monkeypatch, capsys):
    from benchmarks.gpu import cudf_minhash
    from benchmarks.gpu.plan import smoke_plan
    from benchmarks.gpu.rows import MARK, Report
    from gpucurate.frame.device_table import text_to_host

    def frame_of(table):
        column = text_to_host(table.columns["text"]).to_arrow()
        return pd.DataFrame({"text": column.to_pylist()})

    monkeypatch.setattr(cudf_minhash, "frame_of", frame_of)
    plan = smoke_plan(tmp_path)
    text.build(plan.corpus, plan.corpus_bytes, plan.part_bytes, 1)
    cudf_minhash.run(plan, Report("cudf"))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(MARK)]
    rows = {row["name"]: row for row in (json.loads(line.removeprefix(MARK)) for line in lines)}
    assert not [row for row in rows.values() if row["error"]]
    for bits in (32, 64):
        assert rows[f"values of both, {bits} bits"]["note"] == "all values are equal"
        assert rows[f"ours, the same values, {bits} bits: times cuDF's"]["goal"] == 5


def test_pandas_and_the_path_are_left_as_they_were():
    assert not hasattr(pd.DataFrame, "hash_values")
    assert pd.DataFrame.merge.__module__ == "pandas.core.frame"
    assert not [place for place in sys.path if "stand_in" in place or place.endswith("emulator/site")]
