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


@pytest.mark.skipif(missing_device() is None, reason="there is a CUDA device")
def test_the_suite_refuses_a_cuda_run_without_a_device(repository):
    command = [sys.executable, "-m", "pytest", "--device", "cuda", "tests/gpu"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"there is {missing_device()}" in done.stderr
