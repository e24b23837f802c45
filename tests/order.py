"""What a process of pytest-xdist takes at once, and what is begun first, so that two end together.

A long file that comes last keeps one process at work while the others have nothing left.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

TOGETHER = ("tests/security",)
"""Folders of which one process takes all files: they share what took long to set up."""

SECONDS = {
    "tests/conformance/test_executors.py": 160,
    "tests/emulator/test_sanitizers.py": 90,
    "tests/security": 90,
    "tests/chaos/test_killed_workers.py": 60,
    "tests/chaos/test_crash_points.py": 55,
    "tests/backends/test_executors.py": 50,
    "tests/input_classes/test_files.py": 50,
    "tests/backends/test_processes.py": 45,
    "tests/chaos/test_moody_stages.py": 40,
    "tests/emulator/test_minhash.py": 40,
    "tests/chaos/test_failing_disk.py": 36,
    "tests/chaos/test_environments.py": 35,
    "tests/cli/test_command.py": 35,
    "tests/workflows/test_cuda.py": 35,
    "tests/stages/shapes/test_checkpoint.py": 30,
    "tests/workflows/test_verifying.py": 28,
    "tests/checkpoint/test_store_runs.py": 26,
    "tests/benchmarks/test_gpu_sections.py": 25,
    "tests/chaos/test_random_kills.py": 25,
    "tests/emulator/test_nvrtc.py": 25,
    "tests/fuzz/test_fuzz.py": 25,
    "tests/stages/shapes/test_branch.py": 25,
    "tests/workflows/test_policies.py": 25,
    "tests/input_classes/test_surroundings.py": 22,
    "tests/soak/test_soak.py": 22,
    "tests/workflows/test_index.py": 22,
    "tests/emulator/test_clusters.py": 20,
    "tests/io/test_device_reader.py": 20,
    "tests/stages/shapes/test_checkpoint_killed.py": 20,
    "tests/stages/shapes/test_reduce.py": 20,
    "tests/workflows/test_apply.py": 20,
    "tests/emulator/test_json_lines.py": 18,
    "tests/stages/shapes/test_parallel.py": 18,
    "tests/workflows/test_segments.py": 18,
    "tests/workflows/test_truth_cuda.py": 18,
    "tests/chaos/test_leaks.py": 16,
    "tests/cli/test_segments.py": 16,
    "tests/dedup/test_working_bytes.py": 16,
    "tests/stages/shapes/test_flow.py": 16,
    "tests/workflows/test_deduplication.py": 16,
    "tests/emulator/test_large_text.py": 15,
    "tests/rapids/test_types.py": 15,
    "tests/chaos/test_killed_driver.py": 13,
    "tests/workflows/test_removal.py": 13,
    "tests/chaos/test_memory.py": 12,
    "tests/io/test_device_parquet.py": 12,
    "tests/ops/test_minhash.py": 12,
    "tests/ops/test_minhash_statistics.py": 12,
    "tests/workflows/test_set_aside.py": 12,
    "tests/benchmarks/test_peers.py": 10,
    "tests/input_classes/test_folders.py": 10,
}
"""What files (or folders) that take long took when all were run on two cores. An order is all that it is for:
where it is wrong, the end comes later, and nothing else. Written by hand, from ``--durations``."""

_SECONDS_A_TEST = 0.05
"""Elsewhere."""


def unit_of(nodeid: str) -> str:
    """The file that a test is in, or the folder where that stays together.

    >>> unit_of("tests/io/test_rows.py::test_rows[a/b::c]")
    'tests/io/test_rows.py'
    """
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


def begin_with_the_longest(items: list[pytest.Item]) -> None:
    """Sort tests: units in the order of what they take, each in the order in which it stands.

    Args:
        items: as they were collected; sorted in place.
    """
    tests = Counter(unit_of(item.nodeid) for item in items)
    seconds = {unit: SECONDS.get(unit, _SECONDS_A_TEST * count) for unit, count in tests.items()}
    items.sort(key=lambda item: (-seconds[unit := unit_of(item.nodeid)], unit))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """What gives processes one unit after the other, for pytest-xdist.

    Args:
        config: of the process that has the others.
        log: as xdist gives it.
    """
    from xdist.scheduler import LoadFileScheduling

    class Units(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False  # it would begin with the units of most tests
    return Units(config, log)
