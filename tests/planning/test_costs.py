"""What an earlier run says of stages."""

from __future__ import annotations

import pytest

from gpucurate.planning.costs import Costs, relative_bytes
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.telemetry.report import PhaseReport, RunReport
from tests.planning.cluster import stage


def report(*stages, read=200_000_000, written=50_000_000):
    """A report of one phase; stages are (name, seconds, megabytes given[, bytes of a GPU's pool])."""
    stats = [
        StagePerfStats(name, process_time=seconds, input_data_size_mb=mb, gpu_peak_bytes=sum(gpu))
        for name, seconds, mb, *gpu in stages
    ]
    phase = PhaseReport("main", 1.0, input_bytes=read, stages=stats)
    return RunReport("p", phases=[phase], output_bytes=written).to_dict()


def of(costs, *names, device="cpu"):
    return costs.of_chain([stage(name) for name in names], [device] * len(names))


def test_a_stage_costs_seconds_for_what_it_was_given_and_hands_on_what_the_next_one_was():
    costs = Costs.from_report(report(("read", 4, 0), ("filter", 8, 400), ("write", 1, 100)))
    read, keep, write = of(costs, "read", "filter", "write")
    assert (read.seconds_per_mb, read.expansion) == (0.02, 2.0)  # of what lay in files
    assert (keep.seconds_per_mb, keep.expansion) == (0.02, 0.25)
    assert (write.seconds_per_mb, write.expansion) == (0.01, 0.5)  # what was written
    assert relative_bytes([read, keep, write]) == [1.0, 2.0, 0.5]
    assert costs.input_bytes == 200_000_000


def test_a_cost_counts_on_the_device_it_was_measured_on():
    costs = Costs.from_report(report(("a", 1, 100, 10**9), ("b", 1, 100)))
    assert [cost is None for cost in of(costs, "a", "b")] == [True, False]
    assert [cost is None for cost in of(costs, "a", "b", device="cuda")] == [False, True]


def test_a_stage_that_was_given_nothing_has_no_cost_and_nothing_after_it_is_known():
    costs = Costs.from_report(report(("a", 1, 100), ("b", 1, 0), ("c", 1, 50)))
    chain = of(costs, "a", "b", "c")
    assert [cost is None for cost in chain] == [False, True, False]
    assert relative_bytes(chain) == [1.0, None, None]


def test_stages_of_one_name_are_told_apart_by_their_order():
    costs = Costs.from_report(report(("a", 1, 100), ("a", 9, 100)))
    assert [cost.seconds_per_mb for cost in of(costs, "a", "a")] == [0.01, 0.09]
    assert of(costs, "a", "a", "a")[2] is None


def test_a_phase_without_stages_says_nothing():
    values = report(("a", 1, 100))
    values["phases"].insert(0, PhaseReport("group", 1.0).to_dict())
    assert of(Costs.from_report(values), "a")[0].seconds_per_mb == 0.01


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "not the report of a run"),
        ({"phases": [{"stages": [{"nonsense": 1}], "input_bytes": 1}], "output_bytes": 1}, "not the report"),
        ([], "not the report of a run"),
        (report(read=0), "no stage of the report was given anything"),
    ],
)
def test_what_is_not_a_report_is_refused(values, message):
    with pytest.raises(ConfigurationError, match=message):
        Costs.from_report(values)
