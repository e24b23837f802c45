"""Deduplication with ``device="cuda"``: the same clusters and the same bytes as on the CPU."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

WORKFLOWS = {"exact": ExactDeduplicationWorkflow, "fuzzy": FuzzyDeduplicationWorkflow}


def texts(count=60, seed=5):
    """Documents among which some are equal and some nearly."""
    rng = np.random.default_rng(seed)
    words = [f"w{number:x}" for number in range(300)]
    made = [" ".join(rng.choice(words, int(rng.integers(5, 120)))) for _ in range(count)]
    made[7] = made[3]
    made[20] = made[3].upper()
    made[31] = made[30] + " and more"
    made[40] = 'Ünïcödé\ttext \\ with "quotes" \U0001f600 ' + made[41]
    return [*made, "", "", "短い文書", made[50]]


def write_jsonl(folder: Path, documents, parts=2):
    folder.mkdir(exist_ok=True)
    for part in range(parts):
        lines = [
            json.dumps({"id": number, "text": text, "score": number % 7}, ensure_ascii=bool(number % 2))
            for number, text in enumerate(documents)
            if number % parts == part
        ]
        (folder / f"part-{part}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def outcome(output: Path):
    """Bytes of every file that is a result."""
    files = [*output.glob("*.jsonl"), *output.glob("_gpucurate/rejects/*")]
    clusters = pq.read_table(output / "_gpucurate" / "clusters")
    return {path.name: path.read_bytes() for path in files}, clusters.to_pylist()


@pytest.mark.parametrize("sort", WORKFLOWS)
def test_clusters_and_bytes_are_those_of_the_cpu(cuda, tmp_path, sort):
    source = write_jsonl(tmp_path / "in", texts())
    runs = {}
    for device in ("cpu", "cuda"):
        workflow = WORKFLOWS[sort](source, tmp_path / device, device=device)
        runs[device] = workflow.run(InlineExecutor())
    assert outcome(tmp_path / "cuda") == outcome(tmp_path / "cpu")
    assert runs["cuda"].report.books == runs["cpu"].report.books
    assert runs["cuda"].report.details["clusters"]["duplicates"] > 2
