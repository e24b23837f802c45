"""Who makes room for a worker that finds none."""

from __future__ import annotations

from gpucurate.scheduling.eviction import Placed, workers_to_evict
from gpucurate.spec.cluster import Gpu, Need, Node, Place

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
