"""docs/gpu-status.md lists everything that can run on a device."""

import re
from importlib import import_module

from gpucurate.ops.kernels import kernel_names, kernel_source


def rows(repository):
    text = (repository / "docs" / "gpu-status.md").read_text()
    return [line for line in text.splitlines() if line.startswith("|")]


def test_every_kernel_has_a_row(repository):
    named = set(re.findall(r"`(\w+)`", " ".join(rows(repository))))
    for name in kernel_names():
        kernels = re.findall(r"__global__ void __launch_bounds__\([^)]*\) (\w+)\(", kernel_source(name))
        assert kernels
        assert set(kernels) <= named


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


def test_nothing_is_claimed_to_have_run(repository):
    described = [row for row in rows(repository) if not row.startswith(("| ---", "| operation", "| tests |"))]
    assert all(row.endswith("| never run on a device |") for row in described)
