"""Every kernel compiles as CuPy compiles it, spills nothing, and keeps its registers.

``registers.json`` holds one row for each kernel and variant. After a change that is meant:
``pytest tests/emulator/test_nvrtc.py --update-registers``, and look at the difference.
"""

import json
from pathlib import Path

import pytest

from gpucurate.ops import kernels
from gpucurate.ops.cuda.source import OPTIONS, complete_source
from tests.depth import is_thorough
from tests.emulator.nvrtc import CUPY_OPTIONS, VERSIONS, CompilationError, Nvrtc, library

TABLE = Path(__file__).with_name("registers.json")
ARCHITECTURES = ("sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")
TARGETS = [("12.9", "sm_90"), *(("13.0", architecture) for architecture in ARCHITECTURES)]
MORE = 4
"""A row may grow by so many registers unnoticed: compilers differ in details."""

SHINGLES = ["-DOF_WORDS=0", "-DOF_WORDS=1"]
BITS = ["-DVALUE_BITS=32", "-DVALUE_BITS=64"]
#: What each source is compiled with in practice, and at its limits.
VARIANTS = {
    "equal_keys": ["-DPREFIX_BITS=32 -DSCAN_LIMIT=64"],
    "equal_values": BITS,
    "fss": [f"{kind} -DSHARED_SLOTS={slots}" for slots in (128, 0) for kind in SHINGLES],
    "minhash": [f"{kind} -DLANE_MULTIPLIERS={lanes}" for lanes in (2, 8) for kind in SHINGLES],
    "nvtext": [f"{BITS[0]} -DLANE_PERMUTATIONS=9", f"{BITS[1]} -DLANE_PERMUTATIONS=5"],
    "shingle_sets": SHINGLES,
    "survivors": ["-DRANK_BITS=32", "-DRANK_BITS=64"],
}
CASES = [(source, option) for source in kernels.kernel_names() for option in VARIANTS.get(source, [""])]
NEIGHBOURS = {"sm_86", "sm_89", "sm_100"}
"""Each is close to one that is always compiled for: for these, ``make test-thorough`` compiles."""
COMPILATIONS = [(*target, *case) for target in TARGETS for case in CASES]


@pytest.fixture(scope="module")
def compilers(request):
    """The versions of NVRTC, by number."""
    missing = [version for version in VERSIONS if library(version) is None]
    if missing:
        pytest.skip(f"NVRTC {' and '.join(missing)} is not installed (pip install -e '.[dev]')")
    cache = request.config.cache.mkdir("nvrtc")
    return {version: Nvrtc(version, cache) for version in VERSIONS}


@pytest.fixture(scope="module")
def table(request):
    """Registers by row and target; written back if that was asked for."""
    rows = json.loads(TABLE.read_text())
    yield rows
    if request.config.getoption("--update-registers"):
        lines = (f"  {json.dumps(name)}: {json.dumps(rows[name])}" for name in sorted(rows))
        TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def compiled(compilers, version, architecture, source, option):
    options = (*OPTIONS, *CUPY_OPTIONS, f"-arch={architecture}", *option.split())
    return compilers[version].compile(complete_source(source), options)


def row(source, option, kernel):
    return " ".join(filter(None, (f"{source}.cu", kernel, option)))


@pytest.mark.parametrize(
    ("version", "architecture", "source", "option"), COMPILATIONS, ids=lambda value: value or "plain"
)
def test_a_kernel_spills_nothing_and_keeps_its_registers(
    compilers, table, request, version, architecture, source, option
):
    if architecture in NEIGHBOURS and not (is_thorough() or request.config.getoption("--update-registers")):
        pytest.skip(f"{architecture} has neighbours that are compiled for: make test-thorough")
    target = f"{version} {architecture}"
    for kernel, usage in compiled(compilers, version, architecture, source, option).items():
        assert usage.spilled == 0, f"{kernel} spills {usage.spilled} bytes"
        assert usage.stack == 0, f"{kernel} takes {usage.stack} bytes of stack"
        name = row(source, option, kernel)
        if request.config.getoption("--update-registers"):
            table.setdefault(name, {})[target] = usage.registers
        known = table.get(name, {}).get(target)
        assert known is not None, f"{name} for {target} is not in {TABLE.name}: run with --update-registers"
        assert usage.registers <= known + MORE, f"{kernel} takes {usage.registers} registers, {known} before"


def test_the_table_has_every_kernel_for_every_target_and_no_others(compilers, table):
    rows = {
        row(source, option, kernel)
        for source, option in CASES
        for kernel in compiled(compilers, *TARGETS[0], source, option)
    }
    assert table.keys() == rows
    assert all(row.keys() == {" ".join(target) for target in TARGETS} for row in table.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_versions_are_those_that_are_named(compilers, version):
    assert compilers[version].version() == version


@pytest.mark.parametrize("version", VERSIONS)
def test_an_error_names_the_file_and_the_line(compilers, version, tmp_path, monkeypatch):
    (tmp_path / "wrong.cu").write_text('#include "part.cuh"\n\nvoid behind() { unknown(); }\n')
    (tmp_path / "part.cuh").write_text("#pragma once\nint fine;\nint wrong = ;\n")
    monkeypatch.setattr(kernels, "SEARCHED", (tmp_path,))
    with pytest.raises(CompilationError) as raised:
        compilers[version].compile(complete_source("wrong"), ("-arch=sm_90", *CUPY_OPTIONS))
    assert "part.cuh(3): error" in str(raised.value)
    assert "wrong.cu(3): error" in str(raised.value)


def test_a_spill_is_noticed(compilers):
    loads = "".join(f"float v{i} = in[{i} * n]; " for i in range(200))
    steps = "".join(f"v{i} = v{i} * v{(i + 7) % 200} + k; " for i in range(200))
    stores = "".join(f"out[{i} * n] = v{i}; " for i in range(200))
    kernel = 'extern "C" __global__ void __launch_bounds__(1024, 2) k(float* out, const float* in, int n)'
    source = f"{kernel} {{ {loads} for (int k = 0; k < n; ++k) {{ {steps} }} {stores} }}"
    usage = compilers["13.0"].compile(source, ("-arch=sm_90",))["k"]
    assert usage.registers == 32
    assert usage.spilled > 0
