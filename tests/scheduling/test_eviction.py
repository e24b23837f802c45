"""Who makes room for a worker that finds none."""

from __future__ import annotations

from collections import deque

from gpucurate.scheduling.core import Core
from gpucurate.scheduling.eviction import Placed, workers_to_evict
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec import events as ev
from gpucurate.spec.cluster import Gpu, Need, Node, Place
from gpucurate.spec.figures import Figures

GPU_NODE = Node("gpu", 4000, 10**9, (Gpu("0", 10**9),))
CPU_NODE = Node("cpu", 4000, 10**9)
SMALL, LARGE = Need(1000), Need(3000)
ON_GPU = Need(2000, gpus_milli=1000)


def placed(worker: int, segment: int, need: Need, node: str) -> Placed:
    gpus = (("0", 1000),) if need.uses_gpu else ()
    return Placed(worker, segment, need, Place(node, gpus))


def test_where_there_is_room_nobody_goes() -> None:
    assert workers_to_evict(ON_GPU, [GPU_NODE], [placed(1, 0, SMALL, "gpu")], {}) == ()


def test_the_youngest_go_and_no_more_than_needed() -> None:
    crowd = [placed(worker, 0, SMALL, "gpu") for worker in range(4)]
    assert workers_to_evict(ON_GPU, [CPU_NODE, GPU_NODE], crowd, {0: 1}) == (3, 2)


def test_the_node_where_the_fewest_go_is_cleared() -> None:
    crowd = [placed(worker, 0, SMALL, "gpu") for worker in range(4)]
    crowd += [placed(4, 1, LARGE, "cpu")]
    assert workers_to_evict(LARGE, [GPU_NODE, CPU_NODE], crowd, {}) == (4,)


def test_who_went_in_vain_stays() -> None:
    crowd = [placed(9, 0, SMALL, "gpu"), placed(1, 1, LARGE, "gpu")]
    assert workers_to_evict(LARGE, [GPU_NODE], crowd, {}) == (1,)


def test_a_segment_keeps_its_least() -> None:
    crowd = [placed(1, 0, LARGE, "gpu"), placed(2, 1, SMALL, "gpu")]
    assert workers_to_evict(ON_GPU, [GPU_NODE], crowd, {0: 1, 1: 1}) is None
    assert workers_to_evict(ON_GPU, [GPU_NODE], crowd, {0: 0, 1: 1}) == (1,)


def test_a_gpu_in_use_is_given_up_only_by_who_holds_it() -> None:
    crowd = [placed(1, 0, ON_GPU, "gpu"), placed(2, 1, SMALL, "gpu")]
    assert workers_to_evict(ON_GPU, [GPU_NODE], crowd, {}) == (1,)
    assert workers_to_evict(ON_GPU, [CPU_NODE], [], {}) is None


def test_a_segment_that_lost_its_machine_finds_room_on_another() -> None:
    nodes = [Node("a", 3000, 10**9), Node("b", 5000, 10**9), Node("c", 3000, 10**9)]
    lanes = [Lane("large", LARGE, max_workers=1, edge_bytes=10**5), Lane("small", SMALL, max_workers=4)]
    core = Core(lanes, [(f"unit {i}", 1000) for i in range(100)], Policy(None, 10**8), nodes)
    places: dict[int, str] = {}
    events: deque[ev.Event] = deque()

    def play(actions: list[ev.Action]) -> None:
        for action in actions:
            match action:
                case ev.SpawnWorker():
                    places[action.worker] = action.place.node
                    events.append(ev.WorkerReady(action.worker))
                case ev.Dispatch():
                    events.append(ev.UnitDone(action.worker, action.unit, Figures(1.0, 1000)))
                case ev.StopWorker():
                    events.append(ev.WorkerDied(action.worker, "stopped", "stopped"))

    play(core.start(0.0))
    for step in range(2000):
        if step == 60:
            lost = {worker for worker, name in places.items() if name == "b"}
            events = deque(each for each in events if each.worker not in lost)  # type: ignore[union-attr]
            play(core.on(ev.NodeDown("b", "gone"), step))
        play(core.on(events.popleft() if events else ev.Tick(), step))
    assert core.finished
