"""How far two runs agree, from what they left on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.stages.deduplication.id_generator import IdGeneratorBase
from gpucurate.workflows.compare import Comparison, Removals, compare_runs
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.workflows.tree import clusters

MakeCorpus = Callable[..., Path]


@pytest.fixture
def folder(make_corpus: MakeCorpus) -> Path:
    return make_corpus(300, files=3)


def test_a_run_agrees_with_itself(folder: Path, tmp_path: Path) -> None:
    for name, blocksize in (("a", "64MiB"), ("b", "30kB")):
        FuzzyDeduplicationWorkflow(folder, tmp_path / name, input_blocksize=blocksize).run(InlineExecutor())
    found = compare_runs(tmp_path / "a", tmp_path / "b" / "_gpucurate")
    assert found.agreement is not None
    assert (found.agreement.f1, found.agreement.adjusted_rand_index) == (1, 1)
    assert found.agreement.first == found.agreement.second
    assert found.agreement.documents == 360
    assert found.removals == Removals(found.agreement.first.documents - found.agreement.first.clusters, 0, 0)
    assert found.examples == ()
    assert found.not_compared == 0


def test_exact_clusters_are_part_of_fuzzy_ones_and_disagreements_are_shown(
    folder: Path, tmp_path: Path
) -> None:
    ExactDeduplicationWorkflow(folder, tmp_path / "exact", input_blocksize="30kB").run(InlineExecutor())
    FuzzyDeduplicationWorkflow(folder, tmp_path / "fuzzy").run(InlineExecutor())
    found = compare_runs(tmp_path / "exact", tmp_path / "fuzzy", examples=2)
    assert found.agreement is not None
    assert found.removals is not None
    assert found.agreement.recall == 1
    assert found.agreement.precision == pytest.approx(30 / found.agreement.second.pairs)
    assert found.removals.in_both == 30
    assert found.removals.first_only == 0
    assert [example.together_in for example in found.examples] == ["second", "second"]
    for example in found.examples:
        ids = []
        for path, row, text in example.documents:
            record = json.loads((folder / path).read_text().splitlines()[row])
            assert record["text"].startswith(text.rstrip("…"))
            ids.append(record["id"].split("-")[0])
        assert ids[0] == ids[1]  # versions of one page
    assert json.loads(json.dumps(found.to_dict()))["agreement"]["recall"] == 1


def test_only_files_that_both_runs_read_are_compared(folder: Path, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(folder, tmp_path / "all").run(InlineExecutor())
    ExactDeduplicationWorkflow([folder / "part0", folder / "part1"], tmp_path / "renamed").run(
        InlineExecutor()
    )
    (folder / "part1" / "1.jsonl").rename(folder / "part1" / "x.jsonl")
    ExactDeduplicationWorkflow(folder, tmp_path / "other").run(InlineExecutor())
    found = compare_runs(tmp_path / "all", tmp_path / "other")
    in_moved = sum("1.jsonl" in row["path"] for row in clusters(tmp_path / "all"))
    assert found.not_compared == 2 * in_moved > 0
    assert found.agreement is not None
    assert found.agreement.f1 == 1
    assert compare_runs(tmp_path / "all", tmp_path / "renamed").agreement is not None


def nemo_ids(folder: Path, out: Path, groups: list[list[str]]) -> dict[tuple[str, int], int]:
    """The id generator that NeMo Curator would write for these batches, and the id of each row."""
    ids, of = IdGeneratorBase(), {}
    for group in groups:
        counts = [len((folder / name).read_text().splitlines()) for name in group]
        at = ids.register_batch([str(folder / name) for name in group], sum(counts))
        for name, count in zip(group, counts, strict=True):
            of |= {(name, row): at + row for row in range(count)}
            at += count
    out.mkdir()
    ids.to_disk(str(out / "fuzzy_id_generator.json"))
    return of


GROUPS = [["part1/1.jsonl"], ["part0/0.jsonl", "part0/2.jsonl"]]


def test_the_removals_of_nemo_curator_are_compared(folder: Path, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(folder, tmp_path / "run").run(InlineExecutor())
    ids = nemo_ids(folder, tmp_path / "nemo", GROUPS)
    rows = clusters(tmp_path / "run")
    removed = [ids[row["path"], row["row"]] for row in rows if not row["is_kept"]]
    (tmp_path / "nemo" / "FuzzyDuplicateIds").mkdir()
    for part, some in enumerate((removed[5:20], removed[20:])):
        table = pa.table({"_curator_dedup_id": pa.array(some, pa.int64())})
        pq.write_table(table, tmp_path / "nemo" / "FuzzyDuplicateIds" / f"part.{part}.parquet")
    found = compare_runs(tmp_path / "run", tmp_path / "nemo" / "FuzzyDuplicateIds")
    assert found == Comparison(
        str(tmp_path / "run"), str(tmp_path / "nemo" / "FuzzyDuplicateIds"), None, Removals(25, 5, 0), 0, ()
    )
    back = compare_runs(
        tmp_path / "nemo" / "FuzzyDuplicateIds",
        tmp_path / "run",
        id_generator=tmp_path / "nemo" / "fuzzy_id_generator.json",
    )
    assert back.removals == Removals(25, 0, 5)


def test_the_clusters_of_nemo_curator_are_compared(folder: Path, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(folder, tmp_path / "run").run(InlineExecutor())
    ids = nemo_ids(folder, tmp_path / "nemo", GROUPS)
    rows = clusters(tmp_path / "run")
    table = pa.table(
        {
            "_curator_dedup_id": [ids[row["path"], row["row"]] for row in rows],
            "_duplicate_group_id": pa.array([row["cluster"] for row in rows], pa.int32()),
        }
    )
    pq.write_table(table, tmp_path / "nemo" / "groups.parquet")
    found = compare_runs(tmp_path / "run", tmp_path / "nemo")
    assert found.agreement is not None
    assert (found.agreement.f1, found.agreement.first.clusters) == (1, 30)
    assert found.removals is None


def test_ids_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(folder, tmp_path / "run").run(InlineExecutor())
    ids = nemo_ids(folder, tmp_path / "nemo", GROUPS)
    with pytest.raises(InputError, match="is no run of gpucurate"):
        compare_runs(tmp_path / "run", tmp_path / "nemo")
    beyond = pa.table({"_curator_dedup_id": [max(ids.values()) + 1]})
    pq.write_table(beyond, tmp_path / "nemo" / "ids.parquet")
    with pytest.raises(InputError, match="is in no batch of the id generator"):
        compare_runs(tmp_path / "run", tmp_path / "nemo")
    with pytest.raises(ConfigurationError, match="neither is a run of gpucurate"):
        compare_runs(tmp_path / "nemo", tmp_path / "nemo")
    wrong = IdGeneratorBase()
    for name in ("part0/0.jsonl", "part0/2.jsonl", "part1/1.jsonl"):
        wrong.register_batch(str(folder / name), 7)
    wrong.to_disk(str(tmp_path / "wrong.json"))
    with pytest.raises(InputError, match=r"the id generator has 7 rows in .*0\.jsonl, the run 1"):
        compare_runs(tmp_path / "run", tmp_path / "nemo", id_generator=tmp_path / "wrong.json")
    (tmp_path / "nemo" / "fuzzy_id_generator.json").unlink()
    with pytest.raises(
        InputError, match=r"no fuzzy_id_generator\.json or exact_id_generator\.json in or beside"
    ):
        compare_runs(tmp_path / "run", tmp_path / "nemo")


def test_runs_of_other_files_are_not_compared(folder: Path, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(folder, tmp_path / "run").run(InlineExecutor())
    ExactDeduplicationWorkflow(folder / "part0" / "0.jsonl", tmp_path / "one").run(InlineExecutor())
    with pytest.raises(InputError, match=r"no file in common: one read part0/0\.jsonl, the other 0\.jsonl"):
        compare_runs(tmp_path / "run", tmp_path / "one")
    with pytest.raises(InputError, match="is no run of gpucurate"):
        compare_runs(tmp_path / "run", tmp_path / "nowhere")


def test_examples_are_found_in_parquet_and_in_files_that_were_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    texts = [f"page {i} " + " ".join(map(str, rng.integers(0, 99, 60))) for i in range(400)]
    table = pa.table({"text": [*texts, *texts[:9]], "score": list(range(409))})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=50)
    ExactDeduplicationWorkflow(tmp_path / "in.parquet", tmp_path / "a", input_blocksize="20kB").run(
        InlineExecutor()
    )
    ExactDeduplicationWorkflow(tmp_path / "in.parquet", tmp_path / "b", within="score").run(InlineExecutor())
    found = compare_runs(tmp_path / "a", tmp_path / "b", examples=9)
    assert len(found.examples) == 9
    for example in found.examples:
        for _, row, text in example.documents:
            assert text
            assert texts[row % 400].startswith(text.rstrip("…"))
