# ruff: noqa: F811, F401 - the fixture is imported
"""Whole runs to a store that speaks S3: their output, their going on, their end at every crash point."""

from __future__ import annotations

import json
import os
import shutil
import signal

import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.cli.app import run as command
from gpucurate.disk import crash
from gpucurate.disk.crash_points import IN_STORE
from gpucurate.pipeline.pipeline import Pipeline
from gpucurate.spec.errors import ConfigurationError, OutputInUseError
from gpucurate.stages.shapes.branch import Branch
from gpucurate.stages.shapes.checkpoint import Checkpoint
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter, ParquetWriter
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.s3 import bucket

FILES = 4


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("in")
    for number in range(FILES):
        texts = [f"text {row % 7} of {number % 2} {'and more ' * 9}" for row in range(20)]
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        (folder / f"{number}.jsonl").write_text(lines + "not JSON\n")
    return folder


def exact(corpus, output, **options):
    options = {"max_reject_rate": 1.0, "input_blocksize": 2300, **options}
    return ExactDeduplicationWorkflow(corpus, output, **options)


def outputs_of(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}


@pytest.fixture(scope="module")
def expected(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    exact(corpus, folder).run(InlineExecutor())
    return outputs_of(folder)


@pytest.mark.parametrize(
    "executor", [InlineExecutor, lambda: LocalExecutor(workers=2)], ids=["inline", "local"]
)
def test_a_deduplication_leaves_in_a_store_what_it_leaves_in_a_folder(corpus, bucket, expected, executor):
    result = exact(corpus, bucket.url()).run(executor())
    assert bucket.outputs() == expected
    assert bucket.pending() == []
    state = {key.removeprefix("out/_gpucurate/").split("/")[0] for key in bucket.names("out/_gpucurate/")}
    assert {"_SUCCESS", "manifest.json", "report.json", "clusters", "rejects", "records", "run.json"} <= state
    assert "scratch" not in state
    assert str(result.output) == bucket.url()
    written = {key: bucket.get(key) for key in bucket.names()}
    assert exact(corpus, bucket.url()).run(InlineExecutor()).was_finished
    again = {key: bucket.get(key) for key in bucket.names() if "/epochs/" not in key}
    assert again.items() <= written.items(), "nothing is written twice"


def test_a_fuzzy_deduplication_with_verified_pairs_goes_to_parquet(corpus, bucket, tmp_path):
    options = {"verify": "exact", "threshold": 0.7, "format": "parquet", "max_reject_rate": 1.0}
    FuzzyDeduplicationWorkflow(corpus, tmp_path / "local", **options).run(InlineExecutor())
    result = FuzzyDeduplicationWorkflow(corpus, bucket.url(), **options).run(InlineExecutor())
    local = {path.name: path.read_bytes() for path in (tmp_path / "local").glob("*.parquet")}
    assert bucket.outputs() == local
    assert any("/edges/" in key for key in bucket.names())
    assert result.clusters().num_rows


@pytest.mark.parametrize(("writer", "suffix"), [(JsonlWriter, "jsonl"), (ParquetWriter, "parquet")])
def test_a_pipeline_writes_to_a_store(corpus, bucket, writer, suffix, tmp_path):
    def pipeline(output):
        return Pipeline("copy", stages=[JsonlReader(str(corpus), fields=["text"]), writer(output)])

    result = pipeline(bucket.url()).run(InlineExecutor(), max_reject_rate=1.0)
    pipeline(str(tmp_path / "local")).run(InlineExecutor(), max_reject_rate=1.0)
    local = {path.name: path.read_bytes() for path in (tmp_path / "local").glob(f"*.{suffix}")}
    assert bucket.outputs() == local
    assert len(local) == FILES
    assert sorted(path for task in result for path in task.data) == [
        bucket.url(f"out/{name}") for name in sorted(local)
    ]


def test_the_state_may_lie_on_a_disk_and_the_output_in_a_store(corpus, bucket, expected, tmp_path):
    result = exact(corpus, bucket.url(), cache_path=str(tmp_path / "state")).run(InlineExecutor())
    assert bucket.outputs() == expected
    assert bucket.names("out/_gpucurate") == []
    assert (tmp_path / "state" / "_SUCCESS").exists()
    assert result.clusters().num_rows
    bucket.delete("out/1.jsonl")
    assert (
        not exact(corpus, bucket.url(), cache_path=str(tmp_path / "state")).run(InlineExecutor()).was_finished
    )
    assert bucket.outputs() == expected


def test_state_on_a_disk_of_another_prefix_removes_no_object_here(corpus, bucket, expected, tmp_path):
    state = str(tmp_path / "state")
    exact(corpus, bucket.url(), cache_path=state).run(InlineExecutor())
    strange = min(expected)
    bucket.put(f"other/{strange}", b"precious")
    with pytest.raises(OutputInUseError, match=r"the state of a run to another output: 's3://.*/out' then"):
        exact(corpus, bucket.url("other"), cache_path=state).run(InlineExecutor())
    with pytest.raises(OutputInUseError, match="other is not empty"):
        exact(corpus, bucket.url("other"), cache_path=state).run(InlineExecutor(), resume="fresh")
    assert bucket.get(f"other/{strange}") == b"precious"
    bucket.delete(f"other/{strange}")
    exact(corpus, bucket.url("other"), cache_path=state).run(InlineExecutor(), resume="fresh")
    assert bucket.outputs() == expected, "the first output stays"


@pytest.mark.parametrize("mode", ["auto", "fresh"])
def test_a_folder_of_other_things_is_no_place_for_the_state_of_a_run_to_a_store(
    corpus, bucket, tmp_path, mode
):
    (tmp_path / "project" / "scratch").mkdir(parents=True)
    (tmp_path / "project" / "scratch" / "thesis.tex").write_text("precious")
    with pytest.raises(OutputInUseError, match=r"project is not empty .it holds 'scratch'"):
        exact(corpus, bucket.url(), cache_path=str(tmp_path / "project")).run(InlineExecutor(), resume=mode)
    assert (tmp_path / "project" / "scratch" / "thesis.tex").read_text() == "precious"
    assert bucket.names() == []


def test_another_machine_goes_on_with_what_one_has_left(corpus, bucket, expected, tmp_path, monkeypatch):
    assert killed(corpus, bucket, tmp_path, "publish.after_reveal", 2 * FILES + 1)
    assert any("/scratch/keys" in key for key in bucket.names())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    report = exact(corpus, bucket.url()).run(InlineExecutor()).report
    assert report.phases[0].resumed_units == FILES, "the first pass was not repeated"
    assert bucket.outputs() == expected
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a-third"))
    result = exact(corpus, bucket.url()).run(InlineExecutor())
    assert result.was_finished
    assert result.clusters().num_rows, "what was found is fetched"
    shutil.rmtree(tmp_path / "another")


def test_a_working_folder_that_another_machine_got_ahead_of_is_not_believed(
    corpus,
    bucket,
    expected,
    tmp_path,
    monkeypatch,
):
    assert killed(corpus, bucket, tmp_path, "publish.after_reveal", 6)
    keys = next((tmp_path / "cache").glob("gpucurate/runs/*/scratch/keys/*"))
    keys.write_bytes(b"old")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert killed(corpus, bucket, tmp_path, "owner.before_release", 1, finishes=True)
    bucket.delete("out/2.jsonl")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    exact(corpus, bucket.url()).run(InlineExecutor())
    assert bucket.outputs() == expected


@pytest.mark.parametrize("point", sorted(set(IN_STORE) - {"fetch.before_rename"}))
def test_a_kill_costs_nothing_but_time(corpus, bucket, expected, tmp_path, point):
    first = point.startswith("owner.")  # of which a run has one
    assert killed(
        corpus, bucket, tmp_path, point, 1 if first else 2, finishes=point == "owner.before_release"
    )
    exact(corpus, bucket.url()).run(InlineExecutor())
    assert bucket.outputs() == expected
    assert bucket.pending() == []
    assert not any("/scratch/" in key or "/attempts/" in key for key in bucket.names())


def test_a_second_run_is_refused_and_names_the_first(corpus, bucket, tmp_path):
    owner = {"host": "elsewhere", "pid": 7, "epoch": 1, "nonce": "n"}
    bucket.put("out/_gpucurate/run.json", b"{}")
    bucket.put("out/_gpucurate/epochs/00000001.json", json.dumps(owner).encode())
    with pytest.raises(OutputInUseError, match="process 7 on elsewhere"):
        exact(corpus, bucket.url()).run(InlineExecutor())


def test_clusters_in_a_store_can_be_applied_and_compared(corpus, bucket, expected, tmp_path, capsys):
    url = bucket.url()
    exact(corpus, url).run(InlineExecutor())
    exact(corpus, tmp_path / "here", keep="longest").run(InlineExecutor())
    assert command(["dedup", "apply", url, "-o", str(tmp_path / "out"), "-q"]) == 0
    assert outputs_of(tmp_path / "out") == expected
    capsys.readouterr()
    assert command(["compare", url, str(tmp_path / "here"), "--json", "--examples", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["agreement"]["f1"] == 1.0


def test_a_url_that_holds_no_run_is_a_sentence(bucket, tmp_path, capsys):
    url = bucket.url()
    assert command(["dedup", "apply", url, "-o", str(tmp_path / "out")]) == 5
    assert f"{url} is no run of gpucurate" in capsys.readouterr().err


def test_a_prefix_of_other_things_is_refused(corpus, bucket):
    bucket.put("out/thesis.tex", b"")
    with pytest.raises(OutputInUseError, match=r"not empty \(it holds 'thesis.tex'\)"):
        exact(corpus, bucket.url()).run(InlineExecutor())


def test_the_output_may_not_lie_in_the_input_of_a_store(bucket, corpus):
    bucket.put("in/a.jsonl", b'{"text": "a"}\n')
    for inputs, output in (("in", "in/out"), ("in/*.jsonl", "in/out"), ("in/sub", "in")):
        with pytest.raises(ConfigurationError, match="lies in the"):
            exact(bucket.url(inputs), bucket.url(output)).run(InlineExecutor())
    exact(bucket.url("in"), bucket.url("in-2")).run(InlineExecutor())
    assert list(bucket.outputs("in-2/")) == ["a.jsonl"]


@pytest.mark.parametrize("options", [{"save_index": "index"}, {"nemo_ids": True, "perform_removal": False}])
def test_what_needs_a_folder_is_refused(corpus, bucket, options):
    with pytest.raises(ConfigurationError, match="give a folder as output"):
        exact(corpus, bucket.url(), **options)


def test_a_state_that_is_a_url_is_refused(corpus, bucket):
    with pytest.raises(ConfigurationError, match="cache_path must be a folder of this machine"):
        exact(corpus, bucket.url(), cache_path=bucket.url("state"))


def killed(corpus, bucket, tmp_path, point: str, number: int, finishes: bool = False) -> bool:
    """Run in a process that ends at the point; whether it got there."""
    counter = tmp_path / f"counter-{point}-{number}"
    child = os.fork()
    if child == 0:
        try:
            crash.arm(f"{point}:{number}:{counter}")
            exact(corpus, bucket.url()).run(InlineExecutor())
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    done = "out/_gpucurate/_SUCCESS" in bucket.names("out/_gpucurate/_SUCCESS")
    assert done is finishes or not was_killed, "it was killed later than that"
    return was_killed


def is_longer(batch):
    return [len(text) > 80 or "text 3" in text for text in batch.data["text"].to_pylist()]


@pytest.mark.parametrize(
    "executor", [InlineExecutor, lambda: LocalExecutor(workers=2)], ids=["inline", "local"]
)
def test_a_checkpoint_behind_a_branch_keeps_what_was_sent_to_the_store(corpus, bucket, tmp_path, executor):
    def run(key: str):
        stages = [JsonlReader(corpus), Branch(is_longer, to="longer"), Checkpoint(tmp_path / "saved")]
        stages.append(JsonlWriter(bucket.url(key)))
        return Pipeline("test", stages=stages).run(executor(), max_reject_rate=1.0)

    run("first")
    first = bucket.outputs("first/")
    assert {name.count("longer/") for name in first} == {0, 1}
    run("second")
    assert bucket.outputs("second/") == first
