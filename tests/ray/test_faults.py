"""What ends workers, and what the scheduler is told of it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'gpucurate[ray]'")

import ray.exceptions as rx

from gpucurate.backends.ray.faults import fault_of, is_of_node, sentence_of
from gpucurate.spec.cluster import Place
from gpucurate.spec.events import (
    InputLost,
    NodeDown,
    NodeUp,
    SetupFailed,
    UnitDone,
    UnitFailed,
    WorkerDied,
)
from gpucurate.spec.suspect import Suspect
from gpucurate.stages.base import ProcessingStage
from tests.backends.corpus import wait_for
from tests.ray.crews import Bench, Same, Slow, Where, batch, unit


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


def pid_of(folder: Path) -> int:
    """Of the worker that has begun with a unit."""
    return int(wait_for(lambda: next((path.name for path in folder.iterdir() if path.name.isdigit()), None)))


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_worker_that_is_killed_is_reported_once_and_what_it_had_is_not(bench, tmp_path):
    crew = bench([Slow(str(tmp_path), 30)])
    crew.ready(1, Place(crew.backend.nodes()[0].id))
    crew.dispatch(1, unit(0))
    crew.dispatch(1, unit(1))
    crew.backend.poll(0)
    pid = pid_of(tmp_path)
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    died = crew.event(WorkerDied, 1)
    assert time.monotonic() - began < 10
    assert died.kind == "crash"
    crew.seen += crew.backend.poll(1)
    assert crew.seen == []


def test_a_worker_that_hangs_is_killed_when_told(bench, tmp_path):
    crew = bench([Slow(str(tmp_path), 60)])
    crew.ready(1, Place(crew.backend.nodes()[0].id))
    crew.dispatch(1, unit(0))
    crew.backend.poll(0)
    pid = pid_of(tmp_path)
    os.kill(pid, signal.SIGSTOP)
    crew.backend.kill(1, "it was still")
    assert crew.event(WorkerDied, 1, seconds=20).why == "it was still"
    wait_for(lambda: has_ended(pid))


def test_an_idle_worker_that_dies_is_noticed(bench):
    crew = bench([Where()])
    crew.ready(1, Place(crew.backend.nodes()[0].id))
    os.kill(int(crew.facts(1)["pid"]), signal.SIGKILL)
    assert crew.event(WorkerDied, 1).kind == "crash"


class Unready(ProcessingStage):
    """Cannot be set up."""

    def __init__(self, where: str) -> None:
        self.where = where

    def setup_on_node(self, node_info=None, worker_metadata=None):
        if self.where == "node":
            raise ValueError("no room for the model")

    def setup(self, worker_metadata=None):
        raise ValueError("no such model")

    def process(self, given):
        return given


@pytest.mark.parametrize(("where", "said"), [("node", "no room for the model"), ("worker", "no such model")])
def test_a_setup_that_fails_is_told_with_its_reason_and_the_worker_ends(bench, where, said):
    crew = bench([Unready(where)])
    crew.spawn(1, Place(crew.backend.nodes()[0].id))
    failed = crew.event(SetupFailed, 1)
    assert said in failed.message and failed.kind == "user"
    assert crew.event(WorkerDied, 1)


class Refuses(ProcessingStage):
    """Raises, in one way or another."""

    def process(self, given):
        raise {"x": MemoryError("too much"), "y": KeyError("y")}[given.to_pandas()["text"].iloc[0][0]]


def test_what_a_stage_raises_is_a_failure_of_the_unit_and_the_worker_lives(bench):
    crew = bench([Refuses()])
    crew.ready(1, Place(crew.backend.nodes()[0].id))
    crew.dispatch(1, unit(0, batch(size=1).assign({"text": ["y"]})))
    failed = crew.until(lambda event: isinstance(event, UnitFailed))[0]
    assert (failed.unit, failed.kind) == ("unit-0", "user")
    assert failed.message.splitlines()[-1] == "stage 'Refuses' raised KeyError: 'y'"
    crew.dispatch(1, unit(1, batch(size=1).assign({"text": ["y"]})))
    assert crew.until(lambda event: isinstance(event, UnitFailed))[0].unit == "unit-1"


def test_what_a_worker_made_outlives_it_whether_it_was_stopped_or_killed(bench):
    crew = bench([Same()], [Same()])
    here, there = (Place(node.id) for node in crew.backend.nodes())
    crew.ready(9, there, segment=1)
    large, small = batch(100, 10_000), batch()
    for worker, end in ((1, crew.backend.stop), (2, lambda worker: crew.backend.kill(worker, "a test"))):
        crew.ready(worker, here)
        made = [crew.done(worker, unit(worker * 10 + at, given)) for at, given in enumerate((large, small))]
        end(worker)
        crew.event(WorkerDied, worker)
        for at, result in enumerate(made):
            again = crew.done(9, unit(worker * 10 + at), 1, result.handed_on)
            assert again.tasks[0].num_items == (large, small)[at].num_items


def test_a_worker_that_was_told_to_stop_is_gone_soon(bench):
    crew = bench([Where()])
    crew.ready(1, Place(crew.backend.nodes()[0].id))
    pid = int(crew.facts(1)["pid"])
    crew.backend.stop(1)
    died = crew.event(WorkerDied, 1)
    assert (died.kind, died.why) == ("stopped", "stopped")
    wait_for(lambda: has_ended(pid))


class Poison(ProcessingStage):
    """Ends its process at one document."""

    def process(self, given):
        if "poison" in given.to_pandas()["text"].tolist():
            os.kill(os.getpid(), signal.SIGKILL)
        return given


def test_the_journal_of_a_dead_worker_tells_where_it_was(bench, tmp_path):
    crew = bench([Poison()], folder=tmp_path)
    crew.ready(1, Place(crew.backend.nodes()[0].id))
    bad = batch(8).assign({"text": ["fine"] * 5 + ["poison"] + ["fine"] * 2})
    crew.dispatch(1, unit(0, bad), bisect=True)
    suspect = crew.event(WorkerDied, 1).suspect
    assert isinstance(suspect, Suspect)
    assert suspect.start <= 5 < suspect.stop


def test_many_units_go_in_one_call_and_each_is_reported(bench):
    crew = bench([Same()], [Same()])
    crew.ready(1, Place(crew.backend.nodes()[0].id))
    crew.ready(2, Place(crew.backend.nodes()[1].id), segment=1)
    for number in range(40):
        crew.dispatch(1, unit(number))
    for number in range(40):
        _, result = crew.until(lambda e, n=number: isinstance(e, UnitDone) and e.unit == f"unit-{n}")
        crew.dispatch(2, unit(number), 1, result.handed_on)
        crew.seen += crew.backend.poll(0)
    for number in range(40):
        crew.until(lambda e, n=number: isinstance(e, UnitDone) and e.unit == f"unit-{n}" and e.worker == 2)


def test_a_node_that_goes_takes_its_workers_and_what_lies_there_and_one_that_comes_is_told(bench, cluster):
    crew = bench([Same()], [Same()])
    known = {node.id for node in crew.backend.nodes()}
    added = cluster.add_node(num_cpus=2, num_gpus=0, object_store_memory=120 << 20)
    joined = crew.until(lambda event: isinstance(event, NodeUp))[0].node
    assert joined.id not in known and joined.cpus_milli == 2000
    crew.ready(1, Place(joined.id))
    crew.ready(2, Place(min(known)), segment=1)
    lost = crew.done(1, unit(0, batch(100, 10_000)))
    kept = crew.done(1, unit(1))
    began = time.monotonic()
    cluster.remove_node(added, allow_graceful=False)
    down = crew.until(lambda event: isinstance(event, NodeDown))[0]
    assert (down.node, time.monotonic() - began < 30) == (joined.id, True)
    died = [event for event, _ in crew.seen if isinstance(event, WorkerDied)]
    assert all(event.kind == "unreachable" for event in died)  # nobody's fault
    for number, given in ((0, lost), (1, kept)):  # in one call, of which one lacks its input
        crew.dispatch(2, unit(number), 1, given.handed_on)
    assert crew.event(InputLost, 2).unit == "unit-0"
    assert crew.until(lambda event: isinstance(event, UnitDone) and event.worker == 2)[0].unit == "unit-1"


def task_error(cause: Exception) -> Exception:
    return rx.RayTaskError("run", "Traceback\nValueError: odd", cause).as_instanceof_cause()


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (rx.ActorDiedError(), "dead"),
        (rx.WorkerCrashedError(), "dead"),
        (rx.NodeDiedError("gone"), "dead"),
        (rx.ActorUnschedulableError("gone"), "dead"),
        (rx.ActorUnavailableError("perhaps", b"0" * 16), "unknown"),
        (rx.GetTimeoutError("late"), "unknown"),
        (rx.OutOfMemoryError("killed"), "host_memory"),
        (rx.ObjectLostError("00", None, ""), "lost_input"),
        (task_error(rx.ObjectLostError("00", None, "")), "lost_input"),
        (rx.RuntimeEnvSetupError("no such folder"), "environment"),
        (rx.AuthenticationError("no token"), "environment"),
        (task_error(ValueError("odd")), "user"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_errors_of_ray_have_one_meaning_each(error, fault):
    assert fault_of(error) == fault
    sentence = sentence_of(error)
    assert sentence and "\n" not in sentence


def test_an_actor_on_a_dead_node_is_told_from_one_that_crashed():
    assert is_of_node(rx.ActorUnschedulableError("the node is gone"))
    assert not is_of_node(rx.ActorDiedError())
