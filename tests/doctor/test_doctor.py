"""What the doctor finds here, and what it makes of machines that are not here."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gpucurate.doctor import Finding, examine, has_gpu
from gpucurate.doctor.device import examine_device
from gpucurate.doctor.driver import Driver, Gpu, NoDriverError, read_driver
from gpucurate.doctor.gpu import line_for, of_driver, of_lines
from gpucurate.doctor.machine import memory, open_files
from gpucurate.doctor.packages import _finding, cuda_lines, needed, of_extra
from gpucurate.memory.device import try_pool
from gpucurate.ops.cuda.trial import try_kernel
from gpucurate.spec.errors import DeviceError
from tests.device import missing_device

GIB = 1 << 30
H200 = Gpu(0, "NVIDIA H200", 141 * GIB, 140 * GIB, (9, 0), mig=False, processes=0)
NEW = Driver("580.65.06", (13, 0), (H200,))
OLD = Driver("550.54.14", (12, 4), (H200,))
CU13 = {13: ["cudf-cu13", "cupy-cuda13x", "rmm-cu13"]}


def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gpucurate", "doctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def states(findings: list[Finding]) -> dict[str, str]:
    return {finding.name: finding.state for finding in findings}


def test_nothing_is_wrong_where_the_tests_run():
    done = doctor()
    assert done.returncode == 0, done.stdout
    assert "wrong" not in done.stdout
    assert f"{len(needed(''))} packages as required" in done.stdout


def test_json_has_a_row_for_each_finding():
    rows = json.loads(doctor("--json").stdout)
    assert {row["topic"] for row in rows} == {"machine", "packages", "extras", "GPU"}
    assert all(row.keys() == {"topic", "name", "state", "detail", "remedy"} for row in rows)


@pytest.mark.skipif(missing_device() is None, reason="there is a GPU")
def test_where_a_gpu_is_asked_for_and_there_is_none_the_exit_code_is_3():
    done = doctor("--device", "cuda")
    assert done.returncode == 3
    assert "driver" in done.stdout


@pytest.mark.skipif(missing_device() is None, reason="there is a GPU")
def test_without_a_driver_trials_fail_in_a_sentence():
    found = examine_device()
    assert states(found) == {"kernels": "wrong", "memory pool": "wrong"}
    assert all("\n" not in finding.detail for finding in found)
    with pytest.raises(DeviceError, match=r"RMM cannot be imported|memory pool"):
        try_pool(1)
    with pytest.raises(DeviceError, match=r"CuPy|cannot be run"):
        try_kernel()


@pytest.mark.skipif(not Path("/proc/driver/nvidia").exists(), reason="no GPU: no NVIDIA driver")
def test_the_driver_tells_its_version_and_devices():
    driver = read_driver()
    assert driver.cuda >= (12, 0)
    assert all(0 < gpu.free <= gpu.memory for gpu in driver.gpus)


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="there is a driver")
def test_no_driver_is_told_as_nvml_tells_it():
    with pytest.raises(NoDriverError, match="no NVIDIA driver answers"):
        read_driver()


@pytest.mark.gpu
def test_a_device_passes_both_trials():
    assert states(examine_device()) == {"kernels": "ok", "memory pool": "ok"}


def test_a_driver_and_the_packages_that_fit_it():
    assert states(of_driver(NEW, CU13)) == {"driver": "ok", "0 NVIDIA H200": "ok"}
    assert "driver and packages" not in states(of_lines(NEW, CU13))


def test_a_driver_too_old_for_the_packages_is_wrong_and_names_both_ways_out():
    (found,) = [each for each in of_lines(OLD, CU13) if each.name == "driver and packages"]
    assert found.state == "wrong"
    assert found.detail == "driver 550.54.14 serves CUDA 12.4, the packages are for CUDA 13"
    assert (
        found.remedy == "install driver 580 or newer, or in a new environment: pip install 'gpucurate[cu12]'"
    )


def test_a_gpu_without_packages_gets_the_line_that_its_driver_serves():
    assert of_lines(NEW, {})[0].remedy == "pip install 'gpucurate[cu13]'"
    assert of_lines(OLD, {})[0].remedy == "pip install 'gpucurate[cu12]'"
    assert of_lines(None, {})[0].remedy is None
    assert (line_for(NEW), line_for(OLD), line_for(None)) == (13, 12, 13)


def test_two_cuda_lines_in_one_environment_are_wrong():
    (found,) = of_lines(NEW, {12: ["cupy-cuda12x"], **CU13})
    assert found.state == "wrong"
    assert "CUDA 12: cupy-cuda12x; CUDA 13: cudf-cu13" in found.detail


def test_a_gpu_that_the_packages_do_not_serve_is_wrong():
    old = Gpu(0, "Tesla V100", 16 * GIB, 16 * GIB, (7, 0), mig=False, processes=2)
    found = of_driver(Driver("580.65.06", (13, 0), (old,)), CU13)[1]
    assert found.state == "wrong"
    assert found.detail == "17.2 GB of 17.2 GB free, compute capability 7.0, 2 processes"
    assert of_driver(Driver("550.54.14", (12, 4), (old,)), {12: ["cudf-cu12"]})[1].state == "ok"


def test_a_driver_without_a_gpu_is_told():
    assert states(of_driver(Driver("580.65.06", (13, 0), ()), {})) == {"driver": "ok", "devices": "absent"}


def test_cuda_lines_are_those_of_rapids_and_not_of_compilers():
    names = ["cudf-cu13", "RMM-cu13", "cupy-cuda12x", "nvidia-cuda-nvrtc-cu12", "numpy"]
    assert cuda_lines(names) == {12: ["cupy-cuda12x"], 13: ["cudf-cu13", "rmm-cu13"]}


def test_an_extra_that_is_not_there_names_what_installs_it():
    found = of_extra("dask")
    assert found.state in ("absent", "ok")
    if found.state == "absent":
        assert found.remedy == "pip install 'gpucurate[dask]'"


def test_a_package_of_a_version_that_will_not_do_is_wrong():
    found = _finding("packages", Requirement("numpy>=99"), "pip install --upgrade gpucurate")
    assert found.state == "wrong"
    assert found.detail == f"{version('numpy')}, but >=99 is required"


def test_few_open_files_and_little_memory_are_wrong():
    assert open_files(256).remedy == "ulimit -n 1024"
    assert open_files(1024).state == open_files(-1).state == "ok"
    assert memory(GIB // 2, GIB).state == "wrong"
    assert memory(2 * GIB, 4 * GIB).state == "ok"


def test_a_gpu_counts_once_it_was_tried_and_nothing_is_wrong_with_it():
    tried = Finding("GPU", "kernels", "ok", "")
    assert has_gpu([tried])
    assert not has_gpu([tried, Finding("GPU", "memory pool", "wrong", "")])
    assert not has_gpu([Finding("machine", "cores", "ok", "")])
    assert {finding.topic for finding in examine()} >= {"machine", "GPU"}
