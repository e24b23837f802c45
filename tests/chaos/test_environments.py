"""Environments of stages, and workers that know of each other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gpucurate import LocalExecutor
from gpucurate.spec.errors import ConfigurationError
from tests.chaos.crowd import pipeline
from tests.chaos.stages import Crew, Elsewhere, OncePerNode, TellsEnvironment

pytestmark = pytest.mark.timeout(120)


def test_variables_are_there_before_a_stage_is_loaded_and_cpu_workers_see_no_gpu(
    tmp_path, corpus, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    names = "CHAOS", "CUDA_VISIBLE_DEVICES"
    own = Elsewhere(*names).with_(runtime_env={"env_vars": {"CHAOS": "7"}})
    counts = (
        pipeline(corpus, tmp_path / "out", TellsEnvironment(*names), own).run(LocalExecutor(2)).report.counts
    )
    assert counts == {"CHAOS=none": 6, "CHAOS=7": 6, "CUDA_VISIBLE_DEVICES=": 12, f"python={sys.prefix}": 12}


def test_a_stage_runs_in_the_python_that_it_asks_for(tmp_path, corpus):
    made = [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", str(tmp_path / "venv")]
    subprocess.run(made, check=True)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    path = tmp_path / "venv" / "lib" / version / "site-packages" / "outside.pth"
    path.write_text("\n".join(each for each in sys.path if each) + "\n")
    other = Elsewhere().with_(runtime_env={"py_executable": str(tmp_path / "venv" / "bin" / "python")})
    result = pipeline(corpus, tmp_path / "out", TellsEnvironment(), other).run(LocalExecutor(2))
    assert result.report.counts == {f"python={sys.prefix}": 6, f"python={tmp_path / 'venv'}": 6}


def test_a_python_that_is_not_there_is_a_sentence(tmp_path, corpus):
    other = Elsewhere().with_(runtime_env={"py_executable": "/no/such/python"})
    with pytest.raises(ConfigurationError, match="py_executable /no/such/python does not run"):
        pipeline(corpus, tmp_path / "out", other).run(LocalExecutor(2))


def test_two_of_a_gang_meet_in_setup(tmp_path, corpus):
    pytest.importorskip("torch")
    counts = pipeline(corpus, tmp_path / "out", Crew()).run(LocalExecutor(workers=2)).report.counts
    assert counts["total=3"] == 6
    assert counts["rank=0"] + counts["rank=1"] == 6


@pytest.mark.parametrize("env", [None, {"env_vars": {"CHAOS": "7"}}], ids=["shared", "own"])
def test_a_node_is_set_up_once(tmp_path, corpus, env):
    stage = OncePerNode(tmp_path).with_(runtime_env=env) if env else OncePerNode(tmp_path)
    config = {"fuse": False, "worker_max_units": 1, "worker_restart_interval_m": 1e-6}
    pipeline(corpus, tmp_path / "out", stage).run(LocalExecutor(workers=4, config=config))
    assert len(list(tmp_path.glob("node-*"))) == 1
