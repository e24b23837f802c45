"""The layers that call pylibcudf and RMM fit the stubs that these ship, by mypy."""

import os
import subprocess
import sys

import pytest

LAYERS = ("-p", "gpucurate.frame", "-p", "gpucurate.memory")
WRONG = {
    "rmm.mr.CudaAsyncMemoryResource(initial_size=3)": 'did you mean "initial_pool_size"',
    "rmm.mr.LimitingResourceAdaptor(rmm.mr.CudaMemoryResource(), 5).limit": 'has no attribute "limit"',
    "rmm.DeviceBuffer(size='much')": 'incompatible type "str"; expected "int"',
    "plc.Column.from_arrow(None, strm=None)": 'did you mean "stream"',
    "plc.DataType(plc.TypeId.TEXT)": 'has no attribute "TEXT"',
    "plc.Table([1])": "incompatible type",
}


@pytest.fixture(scope="module")
def mypy(repository, rapids_folder):
    pytest.importorskip("mypy", reason="mypy is not installed")
    search = {"MYPYPATH": str(rapids_folder)} if rapids_folder.name == "rapids-api" else {}

    def run(*arguments):
        command = [sys.executable, "-m", "mypy", "--config-file", "tests/rapids/mypy.ini", *arguments]
        environment = {**os.environ, **search}
        done = subprocess.run(
            command, cwd=repository, env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    return run


def test_what_the_package_calls_fits_the_stubs(mypy):
    report = mypy(*LAYERS)
    assert "Success: no issues found" in report, report


def test_wrong_names_arguments_and_types_are_found(mypy):
    report = mypy("-c", "\n".join(["import pylibcudf as plc", "import rmm", *WRONG]))
    errors = report.splitlines()
    for line, reason in enumerate(WRONG.values(), 3):
        assert any(e.startswith(f"<string>:{line}: error") and reason in e for e in errors), (line, report)
