"""Verification in the whole workflow: what it decides, and that nothing else decides it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.spec.errors import OutputInUseError, QuarantinedError
from gpucurate.stages.deduplication.texts import CandidateTexts
from gpucurate.tasks.document import DocumentBatch
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.workflows.conftest import edited, page
from tests.workflows.tree import clusters, digests, lines, report

EXACT: dict[str, Any] = {"verify": "exact", "threshold": 0.7, "num_bands": 32, "minhashes_per_band": 4}


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of which each was edited again and again: neighbours are alike, the ends are not."""
    folder = tmp_path_factory.mktemp("chains")
    rng = random.Random(11)
    texts = []
    for _ in range(60):
        text = page(rng, 100)
        for _ in range(rng.randrange(1, 9)):
            texts.append(text)
            text = edited(text, rng, rng.choice([3, 6, 18]))
    rng.shuffle(texts)
    for number in range(3):
        with (folder / f"{number}.jsonl").open("w") as file:
            for at, text in enumerate(texts[number::3]):
                file.write(json.dumps({"text": text, "score": at % 7}) + "\n")
    return folder


def run(source: Path, output: Path, executor: Any = None, **options: Any) -> dict[str, Any]:
    FuzzyDeduplicationWorkflow(source, output, **{**EXACT, **options}).run(executor or InlineExecutor())
    return report(output)


def edges(output: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(output / "_gpucurate" / "edges").to_pylist()
    return rows


def texts_of(folder: Path) -> list[str]:
    paths = sorted(folder.glob("*.jsonl"))
    return [json.loads(line)["text"] for path in paths for line in path.read_bytes().splitlines()]


def jaccard(one: str, other: str) -> float:
    sets = [{text[i : i + 5] for i in range(len(text) - 4)} for text in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@pytest.mark.parametrize("linkage", ["component", "survivor"])
def test_pairs_below_the_threshold_join_nothing(linkage: str, chains: Path, tmp_path: Path) -> None:
    plain = run(chains, tmp_path / "plain", verify="none", threshold=None)
    found = run(chains, tmp_path / "out", linkage=linkage)
    texts = texts_of(chains)
    for edge in edges(tmp_path / "out"):
        assert edge["similarity"] == jaccard(texts[edge["id_a"]], texts[edge["id_b"]]) >= 0.7
    figures = found["verification"]
    assert figures["compared"] == figures["accepted"] + figures["rejected"]
    assert figures["accepted"] == len(edges(tmp_path / "out")) > 100
    assert figures["rejected"] > 50
    rows = clusters(tmp_path / "out")
    survivor = {row["cluster"]: row["id"] for row in rows if row["is_kept"]}
    for row in rows:
        similar = jaccard(texts[survivor[row["cluster"]]], texts[row["id"]])
        assert row["similarity"] == pytest.approx(similar, abs=1e-7)
    far = sum(row["similarity"] < 0.7 for row in rows)
    assert far == 0 if linkage == "survivor" else far > 5
    assert found["books"]["kept"] > plain["books"]["kept"]
    assert all(row["similarity"] is None for row in clusters(tmp_path / "plain"))


@pytest.mark.parametrize("keep", ["longest", "max:score"])
def test_the_survivor_that_the_policy_takes_is_what_the_others_are_like(
    keep: str, chains: Path, tmp_path: Path
) -> None:
    run(chains, tmp_path / "out", linkage="survivor", keep=keep)
    texts, rows = texts_of(chains), clusters(tmp_path / "out")
    survivor = {row["cluster"]: row["id"] for row in rows if row["is_kept"]}
    assert any(cluster != kept for cluster, kept in survivor.items())
    for row in rows:
        assert jaccard(texts[survivor[row["cluster"]]], texts[row["id"]]) >= 0.7
        if keep == "longest":
            assert len(texts[survivor[row["cluster"]]]) >= len(texts[row["id"]])


@pytest.mark.parametrize("verify", ["exact", "estimate"])
def test_results_depend_neither_on_workers_nor_on_memory_nor_on_units(
    verify: str, chains: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"verify": verify, "linkage": "survivor", "perform_removal": False}
    first = run(chains, tmp_path / "inline", input_blocksize="20kB", **options)
    monkeypatch.setattr("gpucurate.workflows.verifying.LEAST_BATCH", 1)  # a pair a batch
    run(chains, tmp_path / "small", InlineExecutor("3MB"), input_blocksize="20kB", **options)
    run(chains, tmp_path / "local", LocalExecutor(3), input_blocksize="20kB", **options)
    run(chains, tmp_path / "whole", **options)
    for other in ("small", "local", "whole"):
        assert digests(tmp_path / other) == digests(tmp_path / "inline")
        assert edges(tmp_path / other) == edges(tmp_path / "inline")
        assert report(tmp_path / other)["verification"] == first["verification"]


def test_estimates_are_near_the_exact_similarities(chains: Path, tmp_path: Path) -> None:
    run(chains, tmp_path / "out", verify="estimate", perform_removal=False)
    assert not (tmp_path / "out" / "_gpucurate" / "scratch").exists()
    texts = texts_of(chains)
    errors = [
        edge["similarity"] - jaccard(texts[edge["id_a"]], texts[edge["id_b"]])
        for edge in edges(tmp_path / "out")
    ]
    assert min(edge["similarity"] for edge in edges(tmp_path / "out")) >= 0.7
    assert max(map(abs, errors)) < 0.2  # five standard deviations of 128 values
    assert any(errors)
    assert report(tmp_path / "out")["verification"]["verify"] == "estimate"


@pytest.mark.parametrize(("normalize", "joined"), [(True, 2), (False, 0)])
def test_texts_are_compared_as_they_were_shingled(normalize: bool, joined: int, tmp_path: Path) -> None:
    text = page(random.Random(1), 60)
    shouted = text[:150] + text[150:].upper()  # similar enough to be a candidate either way
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in (text, shouted)))
    run(tmp_path / "in.jsonl", tmp_path / "out", normalize_text=normalize, minhashes_per_band=1)
    assert len(clusters(tmp_path / "out")) == joined
    assert report(tmp_path / "out")["verification"]["compared"] == 1


def test_rejected_blank_and_null_records_keep_texts_and_ids_together(chains: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    with mixed.open("wb") as file:
        for number, path in enumerate(sorted(chains.glob("*.jsonl"))):
            file.write(b"\n" * number + b"{broken\n" + b'{"text": null}\n' + path.read_bytes())
    options = {"perform_removal": False, "max_reject_rate": 0.5, "linkage": "survivor"}
    run(chains, tmp_path / "clean", **options)
    run(mixed, tmp_path / "out", input_blocksize="15kB", **options)
    figures = [[row["similarity"] for row in clusters(tmp_path / name)] for name in ("clean", "out")]
    assert figures[0] == figures[1]
    assert report(tmp_path / "out")["verification"] == report(tmp_path / "clean")["verification"]


def test_parquet_is_verified_as_lines_are(chains: Path, tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    for path in chains.glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
        pq.write_table(
            pa.Table.from_pylist(rows), tmp_path / "rows" / f"{path.stem}.parquet", row_group_size=9
        )
    run(chains, tmp_path / "lines", linkage="survivor")
    run(tmp_path / "rows", tmp_path / "out", linkage="survivor", input_blocksize="9kB")
    assert edges(tmp_path / "out") == edges(tmp_path / "lines")
    kept = [json.loads(line)["text"] for line in lines(tmp_path / "lines")]
    parts = sorted((tmp_path / "out").glob("*.parquet"))
    assert [row["text"] for part in parts for row in pq.read_table(part).to_pylist()] == kept


def test_within_a_column_only_its_documents_are_compared(chains: Path, tmp_path: Path) -> None:
    run(chains, tmp_path / "out", within="score", perform_removal=False)
    scores = [
        json.loads(line)["score"]
        for path in sorted(chains.glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]
    assert edges(tmp_path / "out")
    assert all(scores[edge["id_a"]] == scores[edge["id_b"]] for edge in edges(tmp_path / "out"))


def test_where_no_key_is_shared_nothing_is_compared(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "one of a kind"}\n{"text": ""}\n{"text": "another thing"}\n')
    for verify in ("exact", "estimate"):
        run(tmp_path / "in.jsonl", tmp_path / verify, verify=verify, linkage="survivor")
        assert edges(tmp_path / verify) == clusters(tmp_path / verify) == []
        assert len(lines(tmp_path / verify)) == 3


def test_another_threshold_is_another_run(chains: Path, tmp_path: Path) -> None:
    run(chains, tmp_path / "out")
    assert FuzzyDeduplicationWorkflow(chains, tmp_path / "out", **EXACT).run().was_finished
    with pytest.raises(OutputInUseError, match=r"threshold: 0\.7 then, 0\.8 now"):
        run(chains, tmp_path / "out", threshold=0.8)


def test_an_output_that_is_gone_is_made_again(chains: Path, tmp_path: Path) -> None:
    run(chains, tmp_path / "out")
    before = digests(tmp_path / "out")
    (tmp_path / "out" / "0.jsonl").unlink()
    run(chains, tmp_path / "out")
    assert digests(tmp_path / "out") == before


def test_texts_that_cannot_be_taken_end_the_run_and_are_taken_by_the_next(
    chains: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = CandidateTexts.process

    def fails(stage: CandidateTexts, task: DocumentBatch) -> None:
        if stage.context.unit_index == 1:
            raise ValueError("out of luck")
        process(stage, task)

    run(chains, tmp_path / "clean", input_blocksize="20kB")
    with monkeypatch.context() as patched:
        patched.setattr(CandidateTexts, "process", fails)
        with pytest.raises(QuarantinedError, match="out of luck"):
            run(chains, tmp_path / "out", input_blocksize="20kB")
    assert not list((tmp_path / "out").glob("*.jsonl"))
    assert report(tmp_path / "out")["quarantined"][0]["phase"] == "texts"
    run(chains, tmp_path / "out", input_blocksize="20kB")
    assert digests(tmp_path / "out") == digests(tmp_path / "clean")


KILLED = """
import os, signal, sys
from importlib import import_module
from gpucurate.backends.executors import InlineExecutor
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

module, path, calls = sys.argv[3], sys.argv[4].split("."), int(sys.argv[5])
owner = import_module(module)
for name in path[:-1]:
    owner = getattr(owner, name)
real = getattr(owner, path[-1])

def killed(*args, **kwargs):
    global calls
    calls -= 1
    if not calls:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)

setattr(owner, path[-1], killed)
FuzzyDeduplicationWorkflow(
    sys.argv[1], sys.argv[2], verify="exact", threshold=0.7, num_bands=32, minhashes_per_band=4,
    linkage="survivor", input_blocksize="20kB",
).run(InlineExecutor())
"""

POINTS = [
    ("gpucurate.stages.deduplication.keys", "DocumentKeys.flush", 3),
    ("gpucurate.workflows.deduplication", "find_components", 1),
    ("gpucurate.stages.deduplication.texts", "CandidateTexts.flush", 3),
    ("gpucurate.dedup.pair_table", "PairTable.add", 4),
    ("gpucurate.dedup.edge_file", "_rows", 1),
    ("gpucurate.dedup.linkage", "_split", 1),
    ("gpucurate.dedup.cluster_file", "_span_tables", 2),
    ("gpucurate.stages.deduplication.removal", "DuplicateRemoval.process", 3),
]


def test_a_run_that_is_killed_in_every_phase_comes_to_the_same_end(chains: Path, tmp_path: Path) -> None:
    for module, path, calls in POINTS:
        arguments = [chains, tmp_path / "out", module, path, calls]
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    found = run(chains, tmp_path / "out", linkage="survivor", input_blocksize="20kB")
    clean = run(chains, tmp_path / "clean", linkage="survivor", input_blocksize="20kB")
    assert {phase["name"]: phase["resumed_units"] for phase in found["phases"]}["texts"] > 5
    assert found["verification"] == clean["verification"]
    assert digests(tmp_path / "out") == digests(tmp_path / "clean")
    assert edges(tmp_path / "out") == edges(tmp_path / "clean")
