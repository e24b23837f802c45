"""The Makefile explains itself, and what needs a GPU says so."""

import re
import subprocess
import sys

import pytest

from tests.device import missing_device


def test_make_alone_lists_every_target(repository):
    listed = subprocess.run(["make"], cwd=repository, check=True, capture_output=True, text=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (repository / "Makefile").read_text(), re.M).group(1).split()
    for target in phony:
        assert re.search(rf"make {target} +\w", listed), target


OFFLINE = """#!/bin/sh
case "$*" in
    *--target*) PIP_NO_INDEX=1 PIP_FIND_LINKS= exec {python} "$@" ;;
esac
"""


def test_setup_goes_on_where_the_sources_of_rapids_cannot_be_fetched(repository, tmp_path):
    """All of the environment is there but the index."""
    interpreter = tmp_path / "bin" / "python"
    interpreter.parent.mkdir()
    interpreter.write_text(OFFLINE.format(python=sys.executable))
    interpreter.chmod(0o755)
    command = ["make", "setup", f"VENV={tmp_path}", f"PYTHON={sys.executable}", "ENVIRONMENT="]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    assert "rapids-api.txt cannot be fetched here" in done.stdout
    assert f"{tmp_path} is ready" in done.stdout
    assert not (tmp_path / "rapids-api").exists()


def test_an_environment_that_is_there_is_taken_as_it_is(repository):
    command = ["make", "--dry-run", "gpu-smoke", "ENVIRONMENT=/opt/there"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    (line,) = (line for line in done.stdout.splitlines() if "python" in line)
    assert line.startswith("/opt/there/bin/python -m pytest --device cuda tests/gpu")


def test_the_gpu_benchmark_is_one_call_in_an_environment_that_is_there(repository):
    command = ["make", "--dry-run", "bench-gpu", "ENVIRONMENT=/opt/there", "BENCH_ARGS=--only cudf"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    (line,) = (line for line in done.stdout.splitlines() if "python" in line)
    module = "/opt/there/bin/python -m benchmarks.gpu.bench_gpu"
    assert line == f"{module} --output .bench/gpu.json --only cudf"


@pytest.mark.skipif(missing_device() is None, reason="there is a CUDA device")
def test_the_suite_refuses_a_cuda_run_without_a_device(repository):
    command = [sys.executable, "-m", "pytest", "--device", "cuda", "tests/gpu"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"there is {missing_device()}" in done.stderr
