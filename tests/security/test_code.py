"""What the package's code never does, and where it does it all the same, why."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import gpucurate

ROOT = Path(gpucurate.__file__).parent

ALLOWED = {
    # From workers that this driver started, and back: by socketpair, or by what Ray and Dask have.
    ("pickle.loads", "backends/local.py"),
    ("pickle.loads", "backends/worker_process.py"),
    ("pickle.loads", "backends/ray/backend.py"),
    ("pickle.loads", "backends/adapters/dask_backend.py"),
    ("pickle.loads", "backends/adapters/ray_data_backend.py"),
    ("pickle.loads", "backends/adapters/ray_data_step.py"),
    ("cloudpickle.loads", "backends/worker_process.py"),
    ("cloudpickle.loads", "backends/ray/worker.py"),
    ("cloudpickle.loads", "backends/adapters/slot.py"),
    # What one segment hands to the next, in a file of this run (test_pickles).
    ("pickle.loads", "backends/exchange.py"),
    ("pickle.loads", "backends/packing.py"),
    # A stage and what it made, to see whether they can be pickled.
    ("pickle.loads", "testing/check_stage.py"),
    # A pipeline that the user names on the command line (test_plan_runs_what_it_is_given).
    ("exec_module", "cli/pipeline_loader.py"),
    ("import_module", "cli/pipeline_loader.py"),
    # Names that stand in the package.
    ("import_module", "__init__.py"),
    ("import_module", "backends/forking.py"),
    ("import_module", "ops/cuda/trial.py"),
    ("import_module", "ops/dispatch.py"),
    ("import_module", "ops/minhash/cpu.py"),
}

FORBIDDEN = {
    "pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads", "joblib.load",
    "dill.load", "dill.loads", "marshal.loads", "shelve.open", "torch.load", "eval", "exec", "compile",
    "__import__", "os.system", "os.popen", "yaml.load", "extractall", "exec_module", "import_module",
    "from_pretrained", "start_http_server",
}  # fmt: skip

FORBIDDEN_ARGUMENTS = {"shell": True, "trust_remote_code": True, "allow_pickle": True, "weights_only": False}


@cache
def trees():
    return [(p.relative_to(ROOT).as_posix(), ast.parse(p.read_text())) for p in sorted(ROOT.rglob("*.py"))]


@cache
def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def forbidden_name(call: ast.Call) -> str | None:
    whole = ast.unparse(call.func)
    last = whole.rpartition(".")[2]
    if whole in FORBIDDEN:
        return whole
    return last if last in FORBIDDEN - {"compile", "load", "loads", "eval"} and "." in whole else None


def test_what_loads_code_stands_in_a_list_with_its_reason():
    found = {(name, path) for path, tree in trees() for call in calls(tree) if (name := forbidden_name(call))}
    assert found == ALLOWED


@pytest.mark.parametrize(("argument", "value"), FORBIDDEN_ARGUMENTS.items())
def test_no_call_is_given(argument, value):
    for path, tree in trees():
        for call in calls(tree):
            for given in call.keywords:
                is_value = isinstance(given.value, ast.Constant) and given.value.value is value
                assert not (given.arg == argument and is_value), f"{path}:{call.lineno}"


def test_nothing_reads_yaml_or_models():
    """Whoever adds a reader of either adds its policy too (RELIABILITY: safe_load, safetensors)."""
    for path, tree in trees():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.partition(".")[0] not in {
                    "yaml",
                    "ruamel",
                    "safetensors",
                    "transformers",
                    "joblib",
                }, path


def test_processes_are_started_by_a_list_of_arguments():
    for path, tree in trees():
        for call in calls(tree):
            if ast.unparse(call.func) in ("subprocess.run", "subprocess.Popen"):
                assert not isinstance(call.args[0], ast.Constant | ast.JoinedStr), f"{path}:{call.lineno}"


def test_plan_runs_what_it_is_given_and_nothing_else(tmp_path, capsys):
    """The module is run, as Python does it; stages are not."""
    from gpucurate.cli.app import run

    (tmp_path / "data.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "given.py").write_text(
        f"""
from pathlib import Path
from gpucurate import Pipeline
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader

here = Path({str(tmp_path)!r})
(here / "imported").touch()

class Marks(ProcessingStage):
    name = "marks"

    def setup(self, worker_metadata=None):
        (here / "set up").touch()

    def process(self, batch):
        (here / "processed").touch()
        return batch

def made():
    (here / "called").touch()
    return Pipeline("p", stages=[JsonlReader(str(here / "data.jsonl")), Marks()])
"""
    )
    assert run(["plan", f"{tmp_path}/given.py:made"]) == 0
    assert "marks" in capsys.readouterr().out.lower()
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {
        "data.jsonl", "given.py", "imported", "called"
    }  # fmt: skip
