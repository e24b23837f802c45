"""Times of a plan by the scheduler itself, on machines that are not here."""

from __future__ import annotations

import pytest

from gpucurate import InlineExecutor, Pipeline
from gpucurate.pipeline.simulated import simulated_seconds
from gpucurate.planning.cluster_size import parse_cluster
from gpucurate.planning.costs import Costs
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.backends.corpus import write_corpus


class Upper(ProcessingStage):
    def inputs(self):
        return ["data"], ["text"]

    def process(self, batch):
        return batch.assign({"text": batch.to_pandas()["text"].str.upper()})


@pytest.fixture
def measured(tmp_path):
    """A pipeline of 24 files, and what a run of it took."""
    corpus = write_corpus(tmp_path / "in", files=24, rows=50)
    stages = [
        JsonlReader(corpus, fields=["text"], files_per_partition=1),
        Upper(),
        JsonlWriter(tmp_path / "out"),
    ]
    pipeline = Pipeline("upper", stages=stages)
    report = pipeline.run(InlineExecutor()).report
    return pipeline, Costs.from_report(report.to_dict())


def seconds_on(pipeline, costs, cluster, **options):
    return pipeline.outlook(nodes=parse_cluster(cluster, 1), costs=costs, **options).simulated_s


def test_twice_the_machines_take_half_the_time_as_long_as_there_are_units(measured):
    one, two, many = (seconds_on(*measured, cluster) for cluster in ("1x1xH100", "2x1xH100", "64x1xH100"))
    assert one == pytest.approx(2 * two, rel=0.1)
    assert many >= one / 24
    assert many < two


def test_without_costs_nothing_is_simulated_and_with_them_it_is_told(measured):
    pipeline, costs = measured
    assert pipeline.outlook().simulated_s is None
    assert "simulated" not in pipeline.explain()
    assert "simulated: " in pipeline.explain(nodes=parse_cluster("4x1xH100", 4), costs=costs)
    plan = pipeline.build()
    assert simulated_seconds(plan, [], parse_cluster("1x1xH100", 1), costs) is None


def test_segments_of_their_own_are_simulated_as_such(measured):
    pipeline, costs = measured
    outlook = pipeline.outlook(nodes=parse_cluster("4x1xH100", 4), costs=costs, fuse=False)
    assert len(outlook.plan.segments) == 3
    assert outlook.simulated_s >= max(outlook.prediction.segment_seconds)
