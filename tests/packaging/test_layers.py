"""The import contracts in pyproject.toml hold, and bite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINT = Path(sys.executable).with_name("lint-imports")

VIOLATIONS = {
    "ops/upward.py": ("from gpucurate.stages import text", "Imports point down"),
    "dedup/sideways.py": ("from gpucurate.io import paths", "Imports point down"),
    "tasks/frames.py": ("import pandas", "Only frame imports"),
    "io/device.py": ("import cupy", "Only frame, memory and ops import CuPy"),
    "planning/files.py": ("import tempfile", "Planning, scheduling and spec"),
    "scheduling/table.py": ("import pyarrow", "Planning, scheduling and spec"),
}
NAMED = ("stages/text", "io/paths", "scheduling/clock", "planning/plan", "spec/errors")


def lint(tree):
    done = subprocess.run([LINT, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def empty_house(repository, tmp_path):
    """The packages of the house with nothing in them, under the real contracts."""
    shutil.copy2(repository / "pyproject.toml", tmp_path)
    for module in NAMED:
        file = tmp_path / "gpucurate" / f"{module}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    for package in ("ops", "dedup", "tasks"):
        (tmp_path / "gpucurate" / package).mkdir()
    for folder in [tmp_path / "gpucurate", *(tmp_path / "gpucurate").iterdir()]:
        (folder / "__init__.py").touch()
    return tmp_path


def test_the_house_keeps_its_contracts(repository):
    code, report = lint(repository)
    assert code == 0, report


def test_each_contract_notices_its_violation(empty_house):
    assert lint(empty_house)[0] == 0
    for module, (line, _) in VIOLATIONS.items():
        (empty_house / "gpucurate" / module).write_text(line + "\n")
    code, report = lint(empty_house)
    assert code == 1
    for module, (_, contract) in VIOLATIONS.items():
        broken = report[report.index("Broken contracts") :].split(contract, 1)
        assert len(broken) == 2, (contract, report)
        assert module.split("/")[1].removesuffix(".py") in broken[1], (module, report)
