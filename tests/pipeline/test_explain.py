"""What a pipeline says it will do, and what it then did."""

import json

import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.pipeline.pipeline import Pipeline
from gpucurate.planning.cluster_size import parse_cluster
from gpucurate.planning.costs import Costs
from gpucurate.spec.cluster import Node
from gpucurate.stages.deduplication.sample import DocumentSample
from gpucurate.stages.resources import Resources
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter

ON_GPU = Resources(gpus=1)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.jsonl"
    lines = [json.dumps({"text": f"text {number} " + "x" * number, "id": number}) for number in range(200)]
    path.write_text("\n".join(lines) + "\n")
    return path


def pipeline(source, output, gpu):
    stages = [JsonlReader(source, fields=["text"], text_fields=["text"]), DocumentSample(0.5)]
    placed = [stage.with_(resources=ON_GPU) if gpu else stage for stage in stages]
    return Pipeline("half", stages=[*placed, JsonlWriter(output)])


def test_on_the_cpu_nothing_is_said_of_gpus(source, tmp_path):
    text = pipeline(source, tmp_path / "out", gpu=False).explain()
    assert "1. on cpu: jsonl_reader, not sampled, jsonl_writer\n     begins here: first stage\n" in text
    assert "GPU" not in text


def test_where_there_is_no_gpu_the_same_stages_run_on_the_cpu(source, tmp_path, monkeypatch):
    monkeypatch.setattr("gpucurate.pipeline.devices.cuda_is_available", lambda: False)
    made = pipeline(source, tmp_path / "out", gpu=True)
    assert made.build().devices == ("cpu", "cpu", "cpu")


def test_a_wish_for_a_gpu_that_is_not_there_is_told(source, tmp_path, monkeypatch):
    monkeypatch.setattr("gpucurate.pipeline.devices.cuda_is_available", lambda: False)
    text = pipeline(source, tmp_path / "out", gpu=True).explain()
    assert "Without a GPU: there is none for jsonl_reader, not sampled, which can run on the CPU" in text


def test_a_plan_for_a_cluster_that_is_not_here(source, tmp_path):
    text = pipeline(source, tmp_path / "out", gpu=True).explain(nodes=parse_cluster("4x8xH100"))
    assert "4 machines, each with 112 cores and 8 GPUs of 80.0 GB" in text
    assert "32 workers on 32 GPUs of 4 machines, each with 1 GPU and 1 core; only 1 of them" in text
    assert all(len(line) <= 100 and not line.endswith("80.0") for line in text.splitlines())


def test_a_stage_that_cannot_be_cut_is_given_batches_as_they_come(source, tmp_path):
    made = pipeline(source, tmp_path / "out", gpu=False)
    made.stages[1].splittable = False
    assert "batches are left as they come" in made.explain(fuse=False)
    assert "batches are joined up to 268 MB" in made.explain(fuse=False)


def test_a_gang_and_an_environment_are_shown_without_what_is_in_it(source):
    class Train(DocumentSample):
        gang = True

        def num_workers(self):
            return 2

    train = Train(0.5).with_(runtime_env={"env_vars": {"TOKEN": "secret"}})
    reader = JsonlReader(source, fields=["text"], text_fields=["text"])
    outlook = Pipeline("train", stages=[reader, train]).outlook(nodes=parse_cluster("2x1xL4"))
    text = str(outlook)
    assert "2 workers that start and end together" in text
    assert "in an environment of its own (env_vars)" in text
    assert "secret" not in text
    assert "secret" not in json.dumps(outlook.to_dict())


@pytest.mark.parametrize("executor", [InlineExecutor, lambda **more: LocalExecutor(2, **more)])
def test_stages_in_workers_of_their_own_write_the_same_bytes(source, tmp_path, executor):
    assert "3. on cpu" in pipeline(source, tmp_path / "apart", gpu=False).explain(fuse=False)
    for name, fuse in (("apart", False), ("together", True)):
        ran = executor(config={"fuse": fuse})
        report = pipeline(source, tmp_path / name, gpu=False).run(ran).report
        ran.close()
        assert (report.books.read, len(report.phases[0].stages)) == (200, 3)
    assert (tmp_path / "apart" / "in.jsonl").read_bytes() == (tmp_path / "together" / "in.jsonl").read_bytes()


def test_the_bytes_that_cross_are_those_that_were_predicted(cuda, source, tmp_path):
    made = pipeline(source, tmp_path / "out", gpu=True)
    text = made.explain()
    assert "1. on cuda: jsonl_reader, not sampled, jsonl_writer\n     begins here: first stage\n" in text
    assert f"up to a GPU: at most {source.stat().st_size / 1000:.1f} kB" in text
    report = made.run(InlineExecutor()).report
    reader, sample, writer = report.phases[0].stages
    assert source.stat().st_size <= reader.host_to_device_bytes < source.stat().st_size + 100
    assert reader.device_to_host_bytes == 2 * 8 * 200  # where the lines are that the writer copies
    assert (sample.host_to_device_bytes, sample.device_to_host_bytes) == (0, 200)  # the mask
    assert (writer.host_to_device_bytes, writer.device_to_host_bytes) == (0, 0)


def test_times_measured_on_a_gpu_count_on_gpus_and_nowhere_else(cuda, source, tmp_path):
    made = pipeline(source, tmp_path / "out", gpu=True)
    costs = Costs.from_report(made.run(InlineExecutor()).report.to_dict())
    found = made.outlook(nodes=parse_cluster("1x2xT4"), costs=costs)
    assert found.prediction.unknown == ()
    assert found.prediction.seconds > 0
    assert "GPU-hours; the slowest is segment 1" in str(found)
    host = [Node("host", 4000, 10**10)]
    text = made.explain(nodes=host, costs=costs)
    assert "Time: not known: the earlier run has no figures on this device for jsonl_reader" in text


def test_a_pipeline_that_drops_rows_on_a_gpu_writes_the_original_bytes(cuda, source, tmp_path):
    pipeline(source, tmp_path / "gpu", gpu=True).run(InlineExecutor())
    pipeline(source, tmp_path / "cpu", gpu=False).run(InlineExecutor())
    written = (tmp_path / "gpu" / "in.jsonl").read_bytes()
    assert written == (tmp_path / "cpu" / "in.jsonl").read_bytes()
    assert 50 < written.count(b"\n") < 150
    assert set(written.splitlines()) < set(source.read_bytes().splitlines())
