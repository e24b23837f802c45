"""What a user pays before anything runs: seconds to start, bytes to install."""

import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEAVY = ("torch", "ray", "cudf", "pylibcudf", "cupy", "numba", "pandas", "pyarrow", "transformers")
COMMAND = Path(sys.executable).with_name("gpucurate")


def run(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_importing_gpucurate_takes_less_than_300_ms():
    timed = "import time; t = time.perf_counter(); import gpucurate; print(time.perf_counter() - t)"
    assert min(float(run(timed)) for _ in range(5)) < 0.3


def test_importing_gpucurate_loads_nothing_heavy():
    loaded = set(run("import gpucurate, sys; print(*sys.modules)").split())
    assert not loaded.intersection(HEAVY)


def test_the_help_of_the_command_comes_within_500_ms():
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.5


def closure(name):
    """The distributions that a plain ``pip install NAME`` brings, by canonical name."""
    found, waiting = {}, [(name, frozenset())]
    while waiting:
        current, extras = waiting.pop()
        key = canonicalize_name(current)
        if (key, extras) in found:
            continue
        found[key, extras] = metadata.distribution(current)
        for line in found[key, extras].requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in extras or {""}):
                waiting.append((wanted.name, frozenset(wanted.extras)))
    return {key: distribution for (key, _), distribution in found.items()}


def installed_bytes(distribution):
    paths = (distribution.locate_file(file) for file in distribution.files or [])
    return sum(path.stat().st_size for path in paths if path.is_file())


def test_the_base_install_is_under_600_mb_and_carries_neither_torch_nor_ray():
    distributions = closure("gpucurate")
    sizes = {name: installed_bytes(distribution) for name, distribution in distributions.items()}
    assert not {"torch", "ray", "transformers"} & sizes.keys()
    assert {"pyarrow", "llvmlite", "pydantic-core"} <= sizes.keys()
    assert sum(sizes.values()) < 600e6, sorted(sizes.items(), key=lambda item: -item[1])[:5]
