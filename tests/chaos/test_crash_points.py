"""A run that is killed at any named place goes on, and leaves what a run in peace leaves, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gpucurate.disk.crash_points import IN_STORE, POINTS
from tests.chaos.killing import Bench, kill_one_after_the_other
from tests.chaos.left import differences
from tests.chaos.zygote import Zygote

IN_ONE_PROCESS = (
    "exact", "fuzzy, verified", "exact, spilled", "exact, again", "exact, fresh", "exact, changed",
    "fuzzy, saved", "pipeline, large", "pipeline, checkpoint", "pipeline, poisoned",
    "pipeline, poisoned again",
)  # fmt: skip
"""Scenarios that come to all points of one process; each point is taken in the first that comes to it."""

BEGINNING = ("folder.", "lock.", "small.", "attempts.", "log.", "input.", "phase.", "journal.")

OF_WORKERS = [point for point in POINTS if point.startswith(("unit.", "worker.", "driver.", "commit."))]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Zygote() as zygote:
        yield Bench(zygote, tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def where(bench: Bench) -> dict[str, list[str]]:
    """Points of each scenario that none before it comes to, in the order of the run."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for scenario in IN_ONE_PROCESS:
        points = dict.fromkeys(bench.reached(scenario))
        found[scenario] = [point for point in points if point not in seen]
        seen |= set(points)
    return found


def test_every_point_of_the_list_is_reached_and_no_other(bench: Bench, where: dict[str, list[str]]) -> None:
    reached = {point for points in where.values() for point in points} | set(bench.reached("pipeline", 2))
    assert reached | set(IN_STORE) == set(POINTS)
    assert len(POINTS) >= 40


@pytest.mark.parametrize("scenario", IN_ONE_PROCESS)
def test_killed_at_one_point_after_the_other(
    bench: Bench, where: dict[str, list[str]], scenario: str
) -> None:
    kill_one_after_the_other(bench, scenario, where[scenario])


@pytest.mark.parametrize("scenario", ["exact, elsewhere", "pipeline, checkpoint"])
def test_killed_at_the_beginning_with_the_state_in_a_folder_of_its_own(bench: Bench, scenario: str) -> None:
    reached = bench.points(scenario)
    points = [point for point in POINTS if point.startswith(BEGINNING) and point in reached]
    kill_one_after_the_other(bench, scenario, points)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("driver.after_result", id="rejects that a checkpoint held are named as in peace"),
        pytest.param("small.before_rename", id="what says that a folder is a checkpoint has no name yet"),
    ],
)
def test_killed_when_a_checkpoint_holds_something_of_a_unit(bench: Bench, point: str) -> None:
    output = bench.fresh("pipeline, checkpoint")
    assert bench.kill("pipeline, checkpoint", output, point, 4)
    bench.finish("pipeline, checkpoint", output)


def test_drivers_and_workers_killed_at_one_point_after_the_other(bench: Bench) -> None:
    kill_one_after_the_other(bench, "pipeline, segments", OF_WORKERS, workers=2)


def test_killed_at_one_point_after_the_other_on_the_way_to_a_store(bench: Bench) -> None:
    kill_one_after_the_other(bench, "exact, S3", list(IN_STORE))
    assert set(bench.kills) == set(POINTS)


@pytest.mark.parametrize(
    ("scenario", "numbers"), [("exact", (1, 4)), ("fuzzy, verified", (2,)), ("pipeline, segments", (1, 2, 4))]
)
def test_any_number_of_workers_leaves_the_same(bench: Bench, scenario: str, numbers: tuple[int, ...]) -> None:
    alone = bench.wanted(scenario)
    for workers in numbers:
        found = differences(bench.wanted(scenario, workers), alone)
        # Each segment keeps a file of rejects of its own, which the log names.
        assert found in ([], ["_gpucurate/commit.log differs"] if "segments" in scenario else [])
