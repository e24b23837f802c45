"""Text of the GPU benchmark: lengths as on the web, near-duplicates, both formats alike."""

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from benchmarks.gpu.text import build, column_on_host, documents, lines_on_host, parts


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    build(folder, 1_000_000, 250_000, 2)
    return folder


def test_lengths_are_those_of_the_web():
    lengths = np.array([len(text.encode()) for text in documents(20_000_000, 1)])
    assert 1800 < np.median(lengths) < 2600
    assert 4000 < lengths.mean() < 6500


def test_the_same_seed_gives_the_same_text_and_another_seed_another():
    one, again, other = (list(documents(50_000, seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_some_of_it_is_not_ascii_and_some_needs_escapes():
    text = "".join(documents(500_000, 3))
    assert not text.isascii()
    assert {"\n", '"', "\\"} <= set(text)


def test_both_formats_hold_the_same_records(corpus):
    for lines, table in zip(parts(corpus, "jsonl"), parts(corpus, "parquet"), strict=True):
        assert [orjson.loads(line) for line in lines.open("rb")] == pq.read_table(table).to_pylist()
    assert len(parts(corpus, "jsonl")) == 4
    assert len(parts(corpus, "parquet", 300_000)) == 2


def test_a_corpus_that_is_there_is_not_built_again(corpus):
    before = {path: path.stat().st_mtime_ns for path in parts(corpus, "jsonl")}
    build(corpus, 1_000_000, 250_000, 2)
    assert {path: path.stat().st_mtime_ns for path in parts(corpus, "jsonl")} == before


def test_columns_and_lines_are_as_large_as_asked_for(corpus):
    text = column_on_host(corpus, 400_000)
    assert 200_000 < text.nbytes <= 400_000
    lines = lines_on_host(corpus, 400_000)
    assert lines[-1] == 10
    assert 200_000 < len(lines) <= 400_000
