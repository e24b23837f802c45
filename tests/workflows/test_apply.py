"""Another policy from the clusters of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.pipeline.pipeline import Pipeline
from gpucurate.spec.errors import ConfigurationError, InputError, OutputInUseError, QuarantinedError
from gpucurate.stages.deduplication.keys import DocumentKeys
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks.document import DocumentBatch
from gpucurate.workflows.apply import ApplyWorkflow
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.workflows.conftest import corpus_lines
from tests.workflows.tree import clusters, digests, lines, report

MakeCorpus = Callable[..., Path]


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """A corpus with scores, blank lines and lines that are no JSON, in two folders."""
    for number in range(2):
        rows = [
            json.dumps({**json.loads(line), "score": n * 37 % 101})
            for n, line in enumerate(corpus_lines(400)[number::2])
        ]
        rows[20:20] = ["", "not json"]
        path = tmp_path / "in" / f"part{number}" / "x.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(rows) + "\n")
    return tmp_path / "in"


@pytest.mark.parametrize(
    "options",
    [
        {"keep": "max:score"},
        {"keep": "longest", "format": "parquet"},
        {"keep": "prefer:part1/*", "annotate": True},
        {"keep": "first", "perform_removal": False},
    ],
)
def test_what_is_applied_is_what_a_run_with_the_policy_gives(
    options: dict[str, Any], scored: Path, tmp_path: Path
) -> None:
    common = {"input_blocksize": "40kB", "max_reject_rate": 0.1}
    FuzzyDeduplicationWorkflow(
        scored, tmp_path / "run", perform_removal=False, keep="shortest", **common
    ).run(InlineExecutor())
    FuzzyDeduplicationWorkflow(scored, tmp_path / "direct", **options, **common).run(InlineExecutor())
    for name, executor in (("inline", InlineExecutor()), ("local", LocalExecutor(3))):
        ApplyWorkflow(tmp_path / "run", tmp_path / name, **options).run(executor)
        assert digests(tmp_path / name) == digests(tmp_path / "direct")
        assert report(tmp_path / name)["books"] == report(tmp_path / "direct")["books"]


def test_the_run_folder_and_an_applied_run_can_be_applied_too(scored: Path, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(scored, tmp_path / "run", max_reject_rate=0.1).run(InlineExecutor())
    ApplyWorkflow(tmp_path / "run" / "_gpucurate", tmp_path / "a", keep="max:score").run(InlineExecutor())
    ApplyWorkflow(tmp_path / "a", tmp_path / "b").run(InlineExecutor())
    assert lines(tmp_path / "b") == lines(tmp_path / "run")
    assert lines(tmp_path / "a") != lines(tmp_path / "run")
    assert clusters(tmp_path / "b") == clusters(tmp_path / "run")


def test_the_sample_of_the_run_stays_its_sample(scored: Path, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(scored, tmp_path / "run", sample="50%", max_reject_rate=0.1).run(
        InlineExecutor()
    )
    result = ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())
    assert lines(tmp_path / "out") == lines(tmp_path / "run")
    assert result.report.books.dropped["not sampled"] > 100


def test_a_finished_application_is_not_done_again_and_one_that_lost_files_goes_on(
    scored: Path, tmp_path: Path
) -> None:
    ExactDeduplicationWorkflow(scored, tmp_path / "run", max_reject_rate=0.1).run(InlineExecutor())
    ApplyWorkflow(tmp_path / "run", tmp_path / "out", keep="longest").run(InlineExecutor())
    before = digests(tmp_path / "out")
    assert (
        ApplyWorkflow(tmp_path / "run", tmp_path / "out", keep="longest").run(InlineExecutor()).was_finished
    )
    (tmp_path / "out" / "part0" / "x.jsonl").unlink()
    assert (
        not ApplyWorkflow(tmp_path / "run", tmp_path / "out", keep="longest")
        .run(InlineExecutor())
        .was_finished
    )
    assert digests(tmp_path / "out") == before
    with pytest.raises(OutputInUseError, match='keep: "longest" then, "first" now'):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())


def test_other_clusters_are_not_taken_for_those_of_before(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus()
    ExactDeduplicationWorkflow(folder, tmp_path / "exact").run(InlineExecutor())
    FuzzyDeduplicationWorkflow(folder, tmp_path / "fuzzy").run(InlineExecutor())
    ApplyWorkflow(tmp_path / "exact", tmp_path / "out").run(InlineExecutor())
    with pytest.raises(OutputInUseError, match="clusters_of"):
        ApplyWorkflow(tmp_path / "fuzzy", tmp_path / "out").run(InlineExecutor())
    with pytest.raises(OutputInUseError, match='kind: "dedup exact" then, "dedup apply" now'):
        ApplyWorkflow(tmp_path / "exact", tmp_path / "exact").run(InlineExecutor())


def test_input_that_changed_is_refused_with_the_difference(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus()
    ExactDeduplicationWorkflow(folder, tmp_path / "run").run(InlineExecutor())
    changed = folder / "part0" / "0.jsonl"
    size = changed.stat().st_size
    with changed.open("a") as file:
        file.write('{"text": "more"}\n')
    with pytest.raises(
        InputError, match=rf"is not what it was then: .*0\.jsonl .*listed with {size} bytes and has"
    ):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())
    changed.unlink()
    with pytest.raises(InputError, match=r"0\.jsonl vanished"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())
    assert not (tmp_path / "out").exists()


def test_what_is_no_finished_deduplication_is_refused(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus()
    with pytest.raises(InputError, match="is no run of gpucurate: name the output of a deduplication"):
        ApplyWorkflow(folder, tmp_path / "out")
    Pipeline("copy", stages=[JsonlReader(str(folder)), JsonlWriter(tmp_path / "copy")]).run(InlineExecutor())
    with pytest.raises(InputError, match=r"another kind \(pipeline\)"):
        ApplyWorkflow(tmp_path / "copy", tmp_path / "out")
    ExactDeduplicationWorkflow(folder, tmp_path / "run").run(InlineExecutor())
    (tmp_path / "run" / "_gpucurate" / "_SUCCESS").unlink()
    with pytest.raises(InputError, match="has not finished"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out")
    (tmp_path / "run" / "_gpucurate" / "_SUCCESS").touch()
    (tmp_path / "run" / "_gpucurate" / "report.json").write_text("{")
    with pytest.raises(InputError, match=r"report\.json cannot be read"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out")
    (tmp_path / "run" / "_gpucurate" / "report.json").write_text("[]")
    with pytest.raises(InputError, match=r"report\.json cannot be read: it is of type list"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out")


def test_what_the_run_decided_cannot_be_decided_anew(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(make_corpus(), tmp_path / "run").run(InlineExecutor())
    with pytest.raises(ConfigurationError, match=r"sample, text_field cannot be given: .* There are keep, "):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out", text_field="body", sample=0.5)
    with pytest.raises(ConfigurationError, match="no column 'nope'"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out", keep="max:nope").run(InlineExecutor())


@pytest.mark.parametrize("column", ["path", "row", "id", "cluster"])
def test_clusters_of_other_documents_are_refused(
    column: str, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    ExactDeduplicationWorkflow(make_corpus(), tmp_path / "run").run(InlineExecutor())
    (part,) = (tmp_path / "run" / "_gpucurate" / "clusters").iterdir()
    table = pq.read_table(part)
    values = table.column(column).to_pylist()
    values[3] = "elsewhere.jsonl" if column == "path" else values[3] + 10_000
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, pa.array(values, table.schema.field(at).type)), part)
    with pytest.raises(InputError, match="clusters of other documents"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())
    pq.write_table(table.drop_columns([column]), part)
    with pytest.raises(InputError, match=f"cannot be read as clusters: it has no {column}"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())
    part.write_bytes(b"not parquet at all")
    with pytest.raises(
        InputError, match=r"damaged.*cannot be read as clusters; remove it, and give the command"
    ):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())
    part.unlink()
    with pytest.raises(InputError, match="holds no clusters"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())


def test_a_unit_that_could_not_be_read_ends_the_application_before_clusters_are_taken(
    make_corpus: MakeCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ExactDeduplicationWorkflow(make_corpus(), tmp_path / "run", input_blocksize="20kB").run(InlineExecutor())
    process = DocumentKeys.process

    def fails(stage: DocumentKeys, task: DocumentBatch) -> None:
        if stage.context.unit_index == 0:
            raise ValueError("out of luck")
        process(stage, task)

    with monkeypatch.context() as patched:
        patched.setattr(DocumentKeys, "process", fails)
        with pytest.raises(QuarantinedError, match="out of luck"):
            ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())
    assert lines(tmp_path / "out") == []
    ApplyWorkflow(tmp_path / "run", tmp_path / "out").run(InlineExecutor())
    assert lines(tmp_path / "out") == lines(tmp_path / "run")


def test_a_run_against_an_index_is_refused(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus()
    ExactDeduplicationWorkflow(folder / "part0", tmp_path / "old", save_index=tmp_path / "index").run(
        InlineExecutor()
    )
    workflow = ExactDeduplicationWorkflow(folder / "part1", tmp_path / "run", against=[tmp_path / "index"])
    workflow.run(InlineExecutor())
    with pytest.raises(ConfigurationError, match="against an index, of which its clusters know nothing"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out")


def test_clusters_that_were_made_around_other_survivors_are_told_of(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    for linkage, notes in (("survivor", 1), ("component", 0)):
        run = tmp_path / linkage
        options = {"threshold": 0.8, "verify": "exact", "linkage": linkage}
        FuzzyDeduplicationWorkflow(make_corpus(100), run, **options).run(InlineExecutor())
        ApplyWorkflow(run, tmp_path / f"{linkage}-1").run(InlineExecutor())
        result = ApplyWorkflow(tmp_path / f"{linkage}-1", tmp_path / f"{linkage}-2", keep="longest").run(
            InlineExecutor()
        )
        assert sum("around their survivors" in warning for warning in result.report.warnings) == notes
        assert lines(tmp_path / f"{linkage}-1") == lines(run)


def test_memory_that_is_too_little_for_the_clusters_is_refused_and_more_goes_on(
    scored: Path, tmp_path: Path
) -> None:
    FuzzyDeduplicationWorkflow(scored, tmp_path / "run", perform_removal=False).run(InlineExecutor())
    records = sum(len(path.read_text().splitlines()) for path in scored.rglob("*.jsonl"))
    needed = 2 * 20 * records
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=rf"{records} records takes 20 bytes each.* memory="):
            ApplyWorkflow(tmp_path / "run", tmp_path / "best", keep="max:score").run(
                InlineExecutor(needed - 1)
            )
    ApplyWorkflow(tmp_path / "run", tmp_path / "best", keep="max:score").run(InlineExecutor(needed))
    assert report(tmp_path / "best")["phases"][0]["resumed_units"] > 0
    assert lines(tmp_path / "best")
