"""Who gives memory back, and in which order."""

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest

from gpucurate.memory.spilling import SpillRegistry
from gpucurate.spec.errors import ConfigurationError


class Keys:
    """Band keys, say; what was spilled stands in ``log``."""

    def __init__(self, name, nbytes, log, remade=False):
        self.name, self.nbytes, self.log, self.remade = name, nbytes, log, remade

    def spill(self):
        self.log.append(self.name)
        freed, self.nbytes = self.nbytes, 0
        return freed


def registered(registry, *items):
    for item in items:
        registry.register(item)
    return items


def test_what_is_remade_goes_first_and_then_the_least_recently_used():
    log, registry = [], SpillRegistry()
    items = registered(
        registry,
        *(Keys(name, 10, log) for name in "abc"),
        *(Keys(name, 10, log, remade=True) for name in "xy"),
    )
    registry.touch(items[0])
    registry.touch(items[3])
    assert registry.nbytes == 50
    assert registry.free(1000) == 50
    assert log == ["y", "x", "b", "c", "a"]
    assert registry.nbytes == 0


def test_it_stops_when_enough_is_free():
    log, registry = [], SpillRegistry()
    items = registered(registry, Keys("a", 10, log), Keys("b", 10, log), Keys("c", 10, log))
    assert registry.free(15) == 20
    assert registry.free(0) == 0
    assert log == ["a", "b"]
    assert items[2].nbytes == 10


def test_what_holds_nothing_is_not_asked():
    log, registry = [], SpillRegistry()
    held = registered(registry, Keys("a", 0, log), Keys("b", 10, log))
    assert registry.free(10) == 10
    assert log == ["b"]
    del held


def test_what_is_gone_is_forgotten():
    log, registry = [], SpillRegistry()
    registry.register(Keys("a", 10, log))
    gc.collect()
    assert registry.nbytes == registry.free(10) == 0
    assert log == []


def test_what_is_unregistered_is_not_asked_and_cannot_be_touched():
    log, registry = [], SpillRegistry()
    (item,) = registered(registry, Keys("a", 10, log))
    registry.unregister(item)
    registry.unregister(item)
    assert registry.free(10) == 0
    with pytest.raises(ConfigurationError, match="register it first"):
        registry.touch(item)


def test_an_item_that_runs_out_of_memory_itself_is_passed_over():
    class Stuck(Keys):
        def spill(self):
            raise MemoryError

    log, registry = [], SpillRegistry()
    held = registered(registry, Stuck("a", 10, log), Keys("b", 10, log))
    assert registry.free(10) == 10
    assert registry.free(10) == 0
    del held


def test_any_other_error_of_an_item_is_not_swallowed():
    class Broken(Keys):
        def spill(self):
            raise ValueError("broken")

    registry = SpillRegistry()
    (item,) = registered(registry, Broken("a", 10, []))
    with pytest.raises(ValueError, match="broken"):
        registry.free(10)
    assert item.nbytes == 10


def test_an_item_may_use_the_registry_while_it_spills():
    class Nested(Keys):
        def spill(self):
            registry.touch(self)
            assert registry.free(100) == 0  # itself is busy, and there is no other
            return super().spill()

    log, registry = [], SpillRegistry()
    (item,) = registered(registry, Nested("a", 10, log))
    assert registry.free(10) == 10
    assert log == ["a"]
    del item


def test_threads_together_free_each_item_once():
    log, registry = [], SpillRegistry()
    items = registered(registry, *(Keys(str(number), 10, log) for number in range(200)))
    with ThreadPoolExecutor(8) as threads:
        freed = sum(threads.map(lambda _: registry.free(250), range(8)))
    assert freed == 2000
    assert sorted(log) == sorted(item.name for item in items)
