"""Both devices on the data sets with ground truth: the same clusters and the same kept bytes."""

from pathlib import Path

import pytest

from gpucurate.backends.executors import InlineExecutor
from tests.workflows.test_cuda import WORKFLOWS, outcome

SMALL = ["domains", "quality-onestop", "sms-spam", "wiki-parallel-xquad"]
LARGE = ["docs-multilingual", "lid-sentences", "neardup-revisions", "scripture-multilingual"]


@pytest.mark.truth
@pytest.mark.slow
@pytest.mark.parametrize("sort", WORKFLOWS)
@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_both_devices_find_and_keep_the_same(
    request, cuda, truth_data: Path, tmp_path: Path, name: str, sort: str
):
    if name in LARGE and request.config.getoption("--device") == "cpu":
        pytest.skip("minutes on the emulated device: --device emulated, or cuda")
    files = sorted((truth_data / name).glob("*.jsonl.zst"))
    found = {}
    for device in ("cpu", "cuda"):
        workflow = WORKFLOWS[sort](files, tmp_path / device, device=device)
        found[device] = workflow.run(InlineExecutor()).report
    assert outcome(tmp_path / "cuda") == outcome(tmp_path / "cpu")
    assert found["cuda"].books == found["cpu"].books
    stages = [stats for phase in found["cuda"].phases for stats in phase.stages]
    assert sum(stats.host_to_device_bytes for stats in stages) > 10_000
