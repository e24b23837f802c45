"""Workers with a GPU: each sees its own, gives back what it takes, and ends with a GPU that is lost."""

import json
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.frame.transfers import upload
from gpucurate.pipeline.pipeline import Pipeline
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.resources import Resources
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader

STAND_IN = Path(__file__).parents[1] / "memory" / "stand_in"


class Troubles:
    """An observer that notes what went wrong."""

    def __init__(self):
        self.heard = []

    def trouble(self, what):
        self.heard.append(what)

    def __getattr__(self, name):
        return lambda *_: None


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        lines = [json.dumps({"text": f"text {number} {line}"}) for line in range(20)]
        (folder / f"{number}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


class OnGpu(ProcessingStage):
    """Takes batches as they are, on a GPU."""

    resources = Resources(gpus=1)
    follows_device = True  # so that no cuDF is needed


class Sees(OnGpu):
    """Notes what its process sees."""

    def __init__(self, folder):
        self.folder = folder

    def process(self, batch):
        assert batch.device == "cuda"
        (self.folder / f"{os.getpid()}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
        return batch


class Sleeps(Sees):
    """As long as it takes for the other worker to have work, too."""

    def process(self, batch):
        time.sleep(0.3)
        return super().process(batch)


class LosesTheGpu(OnGpu):
    """Raises, the first time, what CUDA raises after a kernel has gone astray."""

    def __init__(self, flag):
        self.flag = flag

    def process(self, batch):
        if not self.flag.exists():
            self.flag.touch()
            raise RuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")
        return batch


class Leaks(OnGpu):
    """Keeps an array of each batch."""

    def setup(self, worker_metadata=None):
        self.held = []

    def process(self, batch):
        self.held.append(upload(np.zeros(1000, np.uint8)))
        return batch


def run(source, stage, executor, observer=None, **options):
    reader = JsonlReader(source, files_per_partition=1, fields=["text"], text_fields=["text"])
    return Pipeline("gpu", stages=[reader, stage]).run(executor, observer=observer, **options)


def test_each_worker_sees_a_gpu_of_its_own(cuda, source, tmp_path, monkeypatch):
    monkeypatch.setenv("GPUCURATE_EMULATED_GPUS", "2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,GPU-7")
    if cuda.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("one GPU only")
    (tmp_path / "seen").mkdir()
    result = run(source, Sleeps(tmp_path / "seen"), LocalExecutor(2, gpus=2))
    seen = {path.name: path.read_text() for path in (tmp_path / "seen").iterdir()}
    assert sorted(seen.values()) == ["5", "GPU-7"]
    assert result.report.books.kept == 120


def test_a_lost_gpu_ends_its_process_and_the_unit_is_done_by_another(cuda, source, tmp_path):
    observer = Troubles()
    result = run(source, LosesTheGpu(tmp_path / "flag"), LocalExecutor(1, gpus=1), observer)
    assert result.report.books.kept == 120
    assert result.report.phases[0].retries == 1
    assert any("reported an error after which CUDA works no more" in what for what in observer.heard)


@pytest.mark.parametrize("executor", [InlineExecutor, LocalExecutor])
def test_what_a_stage_leaves_on_the_gpu_is_told(cuda, source, executor):
    observer = Troubles()
    run(source, Leaks(), executor(), observer)
    assert any("bytes of GPU memory beside the 0 that are kept" in what for what in observer.heard)


def test_what_a_stage_asks_of_memory_is_its_limit(cuda, source):
    class Asks(OnGpu):
        resources = Resources(gpu_memory_gb=0.05)

        def process(self, batch):
            self.count("limit", self.gpu_memory.pool.limit)
            return batch

    result = run(source, Asks(), InlineExecutor(gpu_memory="1GB"))
    assert result.report.counts["limit"] == 6 * (50_000_000 // 256 * 256)


def test_more_memory_than_there_is_is_refused(cuda, source):
    with pytest.raises(ConfigurationError, match=r"of the device's .* only .* are free"):
        run(source, OnGpuOnly(), InlineExecutor(gpu_memory="900TB"))


class WithTorch(OnGpu):
    """Notes what torch was told when the worker was set up."""

    uses_torch = True

    def process(self, batch):
        import torch

        self.count("pool", self.gpu_memory.pool.limit)
        self.count("torch", round(torch.cuda.told.get("fraction", 0) * torch.cuda.mem_get_info()[1]))
        self.count("shared", torch.cuda.told.get("allocator") == "rmm_torch_allocator")
        return batch


@pytest.fixture
def torch(request, cuda):
    if request.config.getoption("--device") == "cuda" or find_spec("torch") is not None:
        pytest.skip("torch is there: tests/gpu asks it")
    sys.path.insert(0, str(STAND_IN))
    yield
    sys.path.remove(str(STAND_IN))
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        del sys.modules[name]


def test_torch_has_half_of_the_limit_for_itself(torch, source):
    counts = run(source, WithTorch(), InlineExecutor(gpu_memory="100MB")).report.counts
    half = 50_000_000 // 256 * 256
    assert (counts["pool"], counts["torch"], counts["shared"]) == (6 * half, 6 * half, 0)


def test_torch_may_take_the_pools_memory_instead(torch, source):
    counts = run(source, WithTorch(), LocalExecutor(1, gpu_memory="100MB", torch_memory="rmm")).report.counts
    assert (counts["pool"], counts["torch"], counts["shared"]) == (6 * (100_000_000 // 256 * 256), 0, 6)


def test_stages_without_torch_have_all_of_it(cuda, source):
    class Without(OnGpu):
        def process(self, batch):
            self.count("pool", self.gpu_memory.pool.limit)
            return batch

    counts = run(source, Without(), InlineExecutor(gpu_memory="100MB")).report.counts
    assert counts["pool"] == 6 * (100_000_000 // 256 * 256)


class OnGpuOnly(OnGpu):
    """Hands on."""

    devices = frozenset({"cuda"})

    def process(self, batch):
        return batch


def test_where_there_is_no_gpu_a_stage_that_needs_one_is_refused(source, monkeypatch):
    monkeypatch.setattr("gpucurate.pipeline.devices.cuda_is_available", lambda: False)
    with pytest.raises(ConfigurationError, match="runs on cuda only, and this machine offers cpu"):
        run(source, OnGpuOnly(), InlineExecutor())
