"""Workers are where the scheduler says: on the node, on the GPU, with nothing else to be seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'gpucurate[ray]'")

from gpucurate.backends.environment import Environment
from gpucurate.spec.cluster import Need, Place
from gpucurate.spec.events import SetupFailed, WorkerDied, WorkerReady
from gpucurate.stages.base import ProcessingStage
from tests.ray.crews import Bench, Where, unit

HALF = Need(1000, 0, 500)


@pytest.fixture
def bench(cluster):
    """Makes benches, and ends their workers."""
    made = []

    def make(*segments, **options):
        made.append(Bench(*segments, **options))
        return made[-1]

    yield make
    for one in made:
        one.backend.close()


def test_gpus_are_named_by_what_ray_gives_and_workers_share_the_one_they_are_put_on(bench):
    crew = bench([Where()], needs=[HALF])
    first, second = crew.backend.nodes()
    assert [[gpu.id for gpu in node.gpus] for node in (first, second)] == [["0", "1"], ["0", "1"]]
    places = {1: (second, "1"), 2: (second, "1"), 3: (first, "0")}
    for worker, (node, gpu) in places.items():
        crew.spawn(worker, Place(node.id, ((gpu, 500),)))
    facts = {worker: crew.facts(worker) for worker in places if crew.event(WorkerReady, worker)}
    told = {worker: (one["node"], one["ids"], one["visible"], one["gpus"]) for worker, one in facts.items()}
    assert told == {worker: (node.id, gpu, gpu, gpu) for worker, (node, gpu) in places.items()}
    assert len({one["pid"] for one in facts.values()}) == 3


def test_a_worker_of_two_gpus_sees_both(bench):
    crew = bench([Where()], needs=[Need(1000, 0, 2000)])
    node = crew.backend.nodes()[1]
    crew.ready(1, Place(node.id, (("0", 1000), ("1", 1000))))
    assert crew.facts(1)["visible"] == "0,1"


def test_a_cpu_worker_sees_no_gpu_and_starts_one_thread(bench):
    crew = bench([Where()])
    for worker, node in enumerate(crew.backend.nodes()):
        crew.spawn(worker, Place(node.id))
        crew.event(WorkerReady, worker)
        facts = crew.facts(worker)
        assert (facts["visible"], facts["ids"], facts["node"]) == ("", "", node.id)
        assert facts["threads"] == "1"


def test_gpus_that_are_held_are_given_back(bench):
    import ray

    crew = bench([Where()], needs=[HALF])
    assert sum(len(node.gpus) for node in crew.backend.nodes()) == 4
    crew.backend.close()
    again = bench([Where()], needs=[HALF])
    assert sum(len(node.gpus) for node in again.backend.nodes()) == 4
    assert ray.cluster_resources()["GPU"] == 4


class Noted(ProcessingStage):
    """Notes its setups."""

    def __init__(self, folder):
        self.folder = folder

    def setup_on_node(self, node_info=None, worker_metadata=None):
        import ray

        Path(self.folder, f"node-{ray.get_runtime_context().get_node_id()}-{os.getpid()}").touch()

    def setup(self, worker_metadata=None):
        assert any(path.name.startswith("node-") for path in Path(self.folder).iterdir())
        Path(self.folder, f"worker-{os.getpid()}").touch()

    def process(self, batch):
        return batch

    def teardown(self):
        Path(self.folder, f"down-{os.getpid()}").touch()


def test_a_node_is_set_up_once_before_its_workers_and_each_worker_is_torn_down(bench, tmp_path):
    crew = bench([Noted(str(tmp_path))])
    node = crew.backend.nodes()[0].id
    for worker in (1, 2):
        crew.spawn(worker, Place(node))
    for worker in (1, 2):
        crew.event(WorkerReady, worker)
        crew.backend.stop(worker)
        assert crew.event(WorkerDied, worker).kind == "stopped"
    names = [path.name.split("-")[0] for path in tmp_path.iterdir()]
    assert sorted(names) == ["down", "down", "node", "worker", "worker"]


class AllReduce(ProcessingStage):
    """A gang whose members add their ranks up."""

    def setup(self, worker_metadata=None):
        import torch.distributed as dist

        self.told = worker_metadata
        dist.init_process_group(
            "gloo",
            init_method=f"tcp://{worker_metadata.address}",
            rank=worker_metadata.rank,
            world_size=worker_metadata.world_size,
        )

    def process(self, batch):
        import torch
        import torch.distributed as dist

        total = torch.tensor([self.told.rank + 1])
        dist.all_reduce(total)
        return batch.assign({"total": [int(total)], "rank": [self.told.rank]})

    def teardown(self):
        import torch.distributed as dist

        dist.destroy_process_group()


def test_a_gang_of_two_nodes_knows_its_ranks_and_reduces(bench):
    pytest.importorskip("torch")
    crew = bench([AllReduce()])
    for rank, node in enumerate(crew.backend.nodes()):
        crew.spawn(10 + rank, Place(node.id), rank=rank, gang=1, gang_size=2)
    for rank in (0, 1):
        crew.event(WorkerReady, 10 + rank)
        crew.dispatch(10 + rank, unit(rank))
    totals = []
    for rank in (0, 1):
        _, result = crew.until(lambda event, rank=rank: getattr(event, "unit", "") == f"unit-{rank}")
        totals.append(tuple(result.tasks[0].to_pandas()[["total", "rank"]].iloc[0]))
    assert totals == [(3, 0), (3, 1)]


@pytest.fixture(scope="module")
def other_python(tmp_path_factory):
    """A Python program of its own, that finds the packages of this one."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "ours.pth").write_text("\n".join(path for path in sys.path if path) + "\n")
    return folder / "bin" / "python"


class Program(ProcessingStage):
    """Tells of the Python program that it runs in."""

    def process(self, batch):
        return batch.assign({"python": [sys.prefix], "mode": [os.environ.get("MODE", "")]})


def test_a_segment_may_have_a_python_and_variables_of_its_own(bench, other_python):
    environment = Environment.of({"py_executable": str(other_python), "env_vars": {"MODE": "odd"}})
    crew = bench([Program()], environments=[environment])
    crew.ready(1, Place(crew.backend.nodes()[0].id))
    facts = crew.facts(1)
    assert (facts["python"], facts["mode"]) == (str(other_python.parents[1]), "odd")


def test_a_program_that_is_not_there_is_refused_before_any_worker_starts(bench):
    from gpucurate.spec.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match="/no/such/python does not run"):
        bench([Program()], environments=[Environment(python="/no/such/python")])


def test_a_program_without_ray_ends_the_run_with_a_sentence(bench, tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    environment = Environment(python=str(bare / "bin" / "python"))
    crew = bench([Program()], environments=[environment], start_seconds=5)
    crew.spawn(1, Place(crew.backend.nodes()[0].id))
    failed = crew.event(SetupFailed, 1)
    assert failed.kind == "configuration"
    assert str(bare) in failed.message and "did not start within 5 s" in failed.message
    assert crew.event(WorkerDied, 1)
