"""docs/gpu-status.md lists everything that can run on a device, and what it is compiled for."""

import json
import re
from importlib import import_module

from gpucurate.ops.kernels import kernel_names
from tests.gpu.order import kernels_in


def page(repository):
    return (repository / "docs" / "gpu-status.md").read_text()


def rows(repository):
    return [line for line in page(repository).splitlines() if line.startswith("|")]


def test_every_kernel_has_a_row(repository):
    named = set(re.findall(r"`(\w+)`", " ".join(rows(repository))))
    for name in kernel_names():
        assert set(kernels_in(name)) <= named


def test_every_device_function_has_a_row(repository):
    for file in (repository / "gpucurate" / "ops").glob("*/cuda.py"):
        operation = file.parent.name
        module = import_module(f"gpucurate.ops.{operation}.cuda")
        own = {
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == module.__name__
        }
        listed = " ".join(row for row in rows(repository) if f"`ops.{operation}`" in row)
        for name in own:
            assert name.startswith("_") or name == "options_for" or f"`{name}`" in listed, (operation, name)


def test_every_module_of_device_memory_has_a_row(repository):
    host_only = {"__init__", "budget", "host", "host_peak", "resident", "collection", "uncollected"}
    modules = {file.stem for file in (repository / "gpucurate" / "memory").glob("*.py")} - host_only
    listed = " ".join(row.split("|")[2] for row in rows(repository))
    assert {module for module in modules if f"`{module}`" not in listed} == set()


def test_nothing_is_claimed_to_have_run(repository):
    described = [row for row in rows(repository) if not row.startswith(("| ---", "| operation", "| tests |"))]
    assert all(row.endswith("| never run on a device |") for row in described)


def test_the_targets_are_those_of_the_table_of_registers(repository):
    table = json.loads((repository / "tests" / "emulator" / "registers.json").read_text())
    listed = {
        f"{version} {architecture}"
        for version, architectures in re.findall(r"^- NVRTC ([\d.]+): (.*)$", page(repository), re.M)
        for architecture in re.findall(r"`(sm_\d+)`", architectures)
    }
    assert listed == {target for targets in table.values() for target in targets}
