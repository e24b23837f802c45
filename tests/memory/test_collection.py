"""Memory is given back between units, as long as that brings something."""

from __future__ import annotations

import os

import numpy as np
import psutil

from gpucurate.memory.collection import FIRST_GROWTH, MOST_IN_VAIN, Collector
from gpucurate.memory.resident import resident_bytes
from gpucurate.spec.figures import Collected

MB = 10**6


def rubbish(nbytes: int) -> None:
    """Arrays that only a collection frees."""
    held: list[object] = [np.ones(MB, np.uint8) for _ in range(nbytes // MB)]
    held.append(held)


def test_what_a_process_holds_is_what_the_system_says() -> None:
    assert abs(resident_bytes() - psutil.Process().memory_info().rss) < 20 * MB


def test_a_fork_asks_about_itself() -> None:
    resident_bytes()
    read, write = os.pipe()
    if not os.fork():
        extra = np.ones(200 * MB, np.uint8)
        os.write(write, str(resident_bytes() - extra.nbytes // 2).encode())
        os._exit(0)
    os.wait()
    told = int(os.read(read, 100))
    os.close(read)
    os.close(write)
    assert told > 100 * MB
    assert told != resident_bytes()


def test_rubbish_is_given_back_and_its_cost_told() -> None:
    collector = Collector()
    collector.between_units(resident_bytes())
    rubbish(300 * MB)
    collected = collector.between_units(resident_bytes())
    assert collected.count == 1
    assert collected.nbytes > 200 * MB
    assert 0 < collected.seconds < 5
    assert not collector.is_off


def test_a_process_that_has_not_grown_is_left_alone() -> None:
    collector = Collector()
    for _ in range(10):
        assert collector.between_units(resident_bytes()).count == 0


def test_where_it_brings_nothing_it_is_done_less_and_less_and_then_no_more() -> None:
    collector = Collector()
    collector.between_units(resident_bytes())
    at = [
        step for step in range(100) if collector.between_units(resident_bytes() + step * FIRST_GROWTH).count
    ]
    assert len(at) == MOST_IN_VAIN
    assert collector.is_off


def test_figures_add_up() -> None:
    assert Collected(1, 0.5, 10) + Collected(2, 0.25, 5) == Collected(3, 0.75, 15)
