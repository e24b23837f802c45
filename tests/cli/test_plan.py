"""``gpucurate plan``: what a pipeline would do, without doing it."""

from __future__ import annotations

import json
import sys

import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.cli.app import run
from gpucurate.cli.pipeline_loader import load_pipeline

FILE = """
from gpucurate.pipeline import Pipeline
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.resources import Resources
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter


class Embed(ProcessingStage):
    resources = Resources(gpus=1)

    def process(self, batch):
        return batch


class Big(Embed):
    resources = Resources(cpus=1000)


def make(*stages):
    reader = JsonlReader({source!r}, fields=["text"], text_fields=["text"], blocksize="1kB")
    return Pipeline("pages", stages=[reader, *stages, JsonlWriter({output!r})])


pages = make()
big = make(Big())
number = 7


def embedded():
    return make(Embed())


def broken():
    return 1 / 0
"""


@pytest.fixture(autouse=True)
def own_path(monkeypatch):
    """Folders of pipelines stay in ``sys.path`` for this test alone."""
    monkeypatch.setattr(sys, "path", sys.path.copy())


@pytest.fixture
def pipelines(tmp_path):
    """A folder with a file of pipelines, and input for them."""
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": "x" * 90}) + "\n" for _ in range(100)))
    name = f"pipelines_{tmp_path.name}"
    path = tmp_path / f"{name}.py"
    path.write_text(
        FILE.replace("{source!r}", repr(str(source))).replace("{output!r}", repr(str(tmp_path / "out")))
    )
    yield path
    sys.modules.pop(name, None)


@pytest.fixture
def told(capsys):
    """Runs ``gpucurate plan`` and gives its exit code, its output and its complaint."""

    def call(*arguments):
        code = run(["plan", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_the_plan_on_this_machine_names_segments_and_leaves_the_time_open(pipelines, told):
    code, text, _ = told(f"{pipelines}:pages")
    assert code == 0
    assert text.startswith("Plan of 'pages': 10.3 kB of input in 1")
    assert "1. on cpu: jsonl_reader, jsonl_writer" in text
    assert "jsonl_writer joins: on the CPU, a batch stays where it is" in text
    assert "Time: not known: run a part of it once" in text
    assert not (pipelines.parent / "out").exists()


def test_a_function_that_makes_a_pipeline_and_a_cluster_that_is_not_here(pipelines, told):
    code, text, _ = told(f"{pipelines}:embedded", "--simulate", "64x8xH200")
    assert code == 0
    assert "64 machines, each with 112 cores and 8 GPUs of 141 GB" in " ".join(text.split())
    assert "1. on cuda: jsonl_reader, Embed, jsonl_writer" in text
    assert "512 workers on 512 GPUs of 64 machines, each with 1 GPU and 1 core" in text
    assert "Memory of a GPU: workers may use 141 GB of 141 GB" in text
    assert max(map(len, text.splitlines())) <= 100


def test_each_stage_alone_for_comparison(pipelines, told):
    _, text, _ = told(f"{pipelines}:embedded", "--simulate", "2x2x80GB", "--cpus-per-node", "4", "--no-fuse")
    assert text.count("begins here: fusing is switched off") == 2
    assert "jsonl_reader -> Embed: at most 10.3 kB" in text
    assert "2 machines, each with 4 cores" in text


def test_times_come_from_an_earlier_run(pipelines, told):
    report = load_pipeline(f"{pipelines}:pages").run(InlineExecutor()).report
    path = pipelines.parent / "report.json"
    path.write_text(json.dumps(report.to_dict()))
    code, text, _ = told(f"{pipelines}:pages", "--costs", path, "--simulate", "1x1xL4")
    assert code == 0
    assert "; the slowest is segment" in text
    assert "taken from a run over 10.3 kB" in text


def test_the_plan_as_json(pipelines, told):
    code, text, _ = told(f"{pipelines}:embedded", "--simulate", "2x4xH100", "--json")
    plan = json.loads(text)
    assert code == 0
    assert plan["segments"][0]["workers_by_machine"] == {"node-0": 4, "node-1": 4}
    assert (plan["machines"], plan["seconds"], plan["gpu_bytes"]) == (2, None, 80 * 10**9)


def test_a_module_is_looked_for_in_the_current_folder(pipelines, told, monkeypatch):
    monkeypatch.chdir(pipelines.parent)
    code, text, _ = told(f"{pipelines.stem}:pages")
    assert code == 0
    assert "jsonl_reader" in text


def test_what_fits_nowhere_is_told_with_the_numbers(pipelines, told):
    code, _, complaint = told(f"{pipelines}:big", "--simulate", "2x8xH100")
    assert code == 3
    assert "stage 'Big' wants 1000 cores for one worker, and the largest of 2 machines, node-0" in complaint


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        (
            "nothing",
            3,
            "its pipelines are big, pages; its functions without arguments are broken, embedded",
        ),
        ("number", 3, "is not a pipeline: it is of type int, expected a Pipeline"),
        ("Embed", 3, "what the function gave is of type Embed"),
        ("broken", 3, "raised ZeroDivisionError at line"),
        ("not a name", 2, "does not name a pipeline: write path/to/file.py:name"),
    ],
)
def test_a_name_that_is_no_pipeline_is_told_in_a_sentence(pipelines, told, name, code, message):
    found, _, complaint = told(f"{pipelines}:{name}")
    assert (found, message in complaint) == (code, True)
    assert "Traceback" not in complaint


def test_a_file_that_is_not_there_or_raises_or_is_named_like_a_module(tmp_path, told):
    assert "there is no file" in told(tmp_path / "absent.py:a")[2]
    assert "there is no module absent.module here" in told("absent.module:a")[2]
    raising = tmp_path / "raising_pipeline.py"
    raising.write_text("\nraise ValueError('no model')\n")
    code, _, complaint = told(f"{raising}:a")
    assert code == 3
    assert f"{raising} raised ValueError at line 2 of {raising}: no model" in complaint
    (tmp_path / "json.py").write_text("a = 1\n")
    assert "has the name of another module, json" in told(f"{tmp_path / 'json.py'}:a")[2]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--simulate", "many"], 3, "is not the size of a cluster"),
        (["--cpus-per-node", "4"], 2, "says what --simulate assumes"),
        (["--costs", "absent.json"], 5, "cannot be read"),
    ],
)
def test_options_that_cannot_be_carried_out(pipelines, told, options, code, message):
    found, _, complaint = told(f"{pipelines}:pages", *options)
    assert (found, message in complaint) == (code, True)


def test_costs_that_are_no_report(pipelines, told, tmp_path):
    path = tmp_path / "report.json"
    for text, message in [("{", "is not JSON"), ("{}", "not the report of a run")]:
        path.write_text(text)
        code, _, complaint = told(f"{pipelines}:pages", "--costs", path)
        assert (code, message in complaint) == (3, True)
