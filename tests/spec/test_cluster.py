"""What is taken of machines, and where the next worker goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.spec.cluster import MILLI, Gpu, Ledger, Need, Node, Place, fit_together

GB = 10**9
WHOLE, HALF, QUARTER = Need(gpus_milli=1000), Need(gpus_milli=500), Need(gpus_milli=250)


def node(name="n", *, cores=8, gpus=2, gb=80, memory=64 * GB):
    return Node(name, cores * MILLI, memory, tuple(Gpu(str(at), gb * GB) for at in range(gpus)))


def fill(ledger, need, near=()):
    """Places of as many workers as fit, in order."""
    places = []
    while (place := ledger.place(need, near)) is not None:
        ledger.take(place, need)
        places.append(place)
    return places


def test_shares_fill_one_gpu_before_the_next_is_touched():
    places = fill(Ledger.of([node()]), QUARTER)
    assert [place.gpu_ids for place in places] == [("0",)] * 4 + [("1",)] * 4


def test_memory_of_a_gpu_is_a_share_of_it_rounded_up():
    places = fill(Ledger.of([node()]), Need(gpu_memory=30 * GB))
    assert [place.gpus for place in places] == [(("0", 375),)] * 2 + [(("1", 375),)] * 2


def test_whole_gpus_spread_over_machines():
    places = fill(Ledger.of([node("a"), node("b")]), WHOLE)
    assert [(place.node, place.gpu_ids) for place in places] == [
        ("a", ("0",)), ("b", ("0",)), ("a", ("1",)), ("b", ("1",)),
    ]  # fmt: skip


def test_a_worker_may_have_two_gpus_of_one_machine_and_never_of_two():
    ledger = Ledger.of([node("a", gpus=3), node("b", gpus=1)])
    assert [place.gpu_ids for place in fill(ledger, Need(gpus_milli=2000))] == [("0", "1")]


def test_a_share_goes_beside_its_neighbour_and_if_that_is_full_to_its_machine():
    ledger = Ledger.of([node("a"), node("b")])
    near = [Place("b", (("1", 500),))]
    assert ledger.place(HALF, near) == Place("b", (("1", 500),))
    places = fill(ledger, HALF, near)
    assert [(p.node, p.gpu_ids[0]) for p in places[:4]] == [("b", "1"), ("b", "1"), ("b", "0"), ("b", "0")]
    assert {p.node for p in places[4:]} == {"a"}


def test_a_worker_without_a_gpu_goes_to_the_machine_of_its_neighbour_or_where_most_cores_are_free():
    ledger = Ledger.of([node("a", cores=2), node("b", cores=8)])
    assert ledger.place(Need()) == Place("b")
    assert ledger.place(Need(), [Place("a", (("0", 1000),))]) == Place("a")
    assert ledger.place(Need(), [Place("gone")]) == Place("b")


def test_host_memory_and_cores_count_too():
    ledger = Ledger.of([node(cores=4, memory=10 * GB)])
    assert len(fill(ledger, Need(cpus_milli=500, memory=3 * GB))) == 3
    assert len(fill(Ledger.of([node(cores=1)]), WHOLE)) == 1


def test_what_is_given_back_can_be_taken_again():
    ledger = Ledger.of([node()])
    places = fill(ledger, WHOLE)
    ledger.give(places[0], WHOLE)
    assert ledger.place(WHOLE) == places[0]


def test_a_machine_that_is_gone_takes_what_was_on_it_along():
    ledger = Ledger.of([node()])
    places = fill(ledger, WHOLE)
    ledger.remove("n")
    ledger.give(places[0], WHOLE)
    assert ledger.place(WHOLE) is None
    ledger.add(node())
    assert len(fill(ledger, WHOLE)) == 2


def test_a_machine_that_is_told_of_twice_keeps_what_is_taken_of_it():
    ledger = Ledger.of([node()])
    fill(ledger, WHOLE)
    ledger.add(node())
    assert ledger.place(WHOLE) is None
    with pytest.raises(ValueError, match="remove it before"):
        ledger.add(node(gpus=5))


def test_more_than_there_is_cannot_be_taken_and_what_nobody_took_cannot_be_given_back():
    ledger = Ledger.of([node()])
    place = Place("n", (("0", 1000),))
    with pytest.raises(ValueError, match="counted in"):
        ledger.give(place, WHOLE)
    ledger.take(place, WHOLE)
    with pytest.raises(ValueError, match="does not fit"):
        ledger.take(place, WHOLE)


def test_segments_fit_together_though_the_small_one_comes_first():
    needs = [(Need(gpus_milli=500), 1), (Need(gpus_milli=2000), 1), (Need(gpus_milli=500), 1)]
    assert fit_together([node(gpus=3)], needs)
    assert not fit_together([node(gpus=2)], needs)
    assert fit_together([node("a", gpus=2), node("b", gpus=1)], needs)


gpus = st.lists(st.sampled_from([16, 80]), max_size=4).map(
    lambda sizes: tuple(Gpu(str(at), gb * GB) for at, gb in enumerate(sizes))
)
clusters = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), gpus), min_size=1, max_size=4).map(
    lambda rows: [Node(f"n{at}", c * MILLI, m * GB, g) for at, (c, m, g) in enumerate(rows)]
)
needs = st.builds(
    lambda cpus, memory, gpu: Need(cpus, memory * GB, **gpu),
    st.sampled_from([0, 500, 1000, 3000]),
    st.integers(0, 3),
    st.one_of(
        st.just({}),
        st.builds(lambda g: {"gpus_milli": g}, st.sampled_from([1, 250, 333, 500, 1000, 2000, 3000])),
        st.builds(lambda g: {"gpu_memory": g * GB}, st.sampled_from([2, 16, 30, 81])),
    ),
)


@given(clusters, st.lists(st.tuples(needs, st.booleans()), max_size=30), st.randoms(use_true_random=False))
def test_a_cluster_is_never_overcommitted(cluster, wanted, random):
    ledger, held = Ledger.of(cluster), []
    for need, leaves in wanted:
        near = random.sample([place for place, _ in held], min(len(held), 2))
        place = ledger.place(need, near)
        if place is not None:
            ledger.take(place, need)
            held.append((place, need))
        if leaves and held:
            ledger.give(*held.pop(random.randrange(len(held))))
        for each in cluster:
            here = [(place, need) for place, need in held if place.node == each.id]
            assert sum(need.cpus_milli for _, need in here) <= each.cpus_milli
            assert sum(need.memory for _, need in here) <= each.memory
            for gpu in each.gpus:
                assert sum(dict(place.gpus).get(gpu.id, 0) for place, _ in here) <= MILLI


@given(clusters, st.lists(needs, max_size=8), needs, st.booleans())
def test_a_worker_finds_a_place_wherever_there_is_one(cluster, before, need, close):
    ledger = Ledger.of(cluster)
    free = {n.id: [n.cpus_milli, n.memory, {g.id: MILLI for g in n.gpus}] for n in cluster}
    places = []
    for each in before:
        place = ledger.place(each)
        if place is None:
            continue
        ledger.take(place, each)
        places.append(place)
        free[place.node][0] -= each.cpus_milli
        free[place.node][1] -= each.memory
        for gpu, share in place.gpus:
            free[place.node][2][gpu] -= share
    fits = {
        n.id
        for n in cluster
        if free[n.id][0] >= need.cpus_milli
        and free[n.id][1] >= need.memory
        and sum(free[n.id][2][g.id] >= need.share_of(g) for g in n.gpus) >= need.whole_gpus
    }
    found = ledger.place(need, places if close else ())
    assert (found is None) == (not fits)
    if found is not None:
        assert found.node in fits
        assert len(found.gpus) == need.whole_gpus
        if close and fits & {place.node for place in places}:
            assert found.node in {place.node for place in places}


@given(clusters, needs)
def test_as_many_fit_as_the_capacity_says(cluster, need):
    ledger = Ledger.of(cluster)
    if need.cpus_milli or need.memory or need.uses_gpu:
        assert len(fill(Ledger.of(cluster), need)) == ledger.capacity(need)
