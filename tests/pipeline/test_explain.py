"""What a pipeline says it will do, and what it then did."""

import json

import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.pipeline.pipeline import Pipeline
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


def test_a_pipeline_that_drops_rows_on_a_gpu_writes_the_original_bytes(cuda, source, tmp_path):
    pipeline(source, tmp_path / "gpu", gpu=True).run(InlineExecutor())
    pipeline(source, tmp_path / "cpu", gpu=False).run(InlineExecutor())
    written = (tmp_path / "gpu" / "in.jsonl").read_bytes()
    assert written == (tmp_path / "cpu" / "in.jsonl").read_bytes()
    assert 50 < written.count(b"\n") < 150
    assert set(written.splitlines()) < set(source.read_bytes().splitlines())
