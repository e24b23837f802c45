"""Which workers make room for one that fits the cluster, but not where the others happen to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gpucurate.spec.cluster import Ledger, Need, Node, Place


@dataclass(frozen=True, slots=True)
class Placed:
    """A worker that lives somewhere.

    Attributes:
        worker: its number.
        segment: what it runs.
        need: what it takes.
        place: where.
    """

    worker: int
    segment: int
    need: Need
    place: Place


def workers_to_evict(
    need: Need, nodes: Iterable[Node], placed: Sequence[Placed], least: Mapping[int, int]
) -> tuple[int, ...] | None:
    """The fewest workers of one node that have to go for a worker with ``need`` to fit there.

    Numbers of workers are thought through as if none lived yet (:class:`.Room`), so workers that live
    may be spread in such a way that a segment's first one finds no node. The youngest go first: they
    have the least to lose.

    Args:
        need: of the worker that finds no place.
        nodes: the cluster.
        placed: the workers that live.
        least: workers that each segment keeps; a gang keeps all.

    Returns:
        Their numbers; none if there is room already. None if no node can be cleared.
    """
    options = [_on_node(need, node, placed, least) for node in nodes]
    return min((victims for victims in options if victims is not None), key=len, default=None)


def _on_node(
    need: Need, node: Node, placed: Sequence[Placed], least: Mapping[int, int]
) -> tuple[int, ...] | None:
    ledger, spare = Ledger.of([node]), Counter(each.segment for each in placed)
    here = sorted((each for each in placed if each.place.node == node.id), key=lambda each: -each.worker)
    for each in here:
        ledger.take(each.place, each.need)
    victims: list[Placed] = []
    for each in here:
        if ledger.place(need) is not None:
            break
        if spare[each.segment] > least.get(each.segment, 0):
            spare[each.segment] -= 1
            ledger.give(each.place, each.need)
            victims.append(each)
    if ledger.place(need) is None:
        return None
    return tuple(each.worker for each in victims if _is_needed(ledger, each, need))


def _is_needed(ledger: Ledger, victim: Placed, need: Need) -> bool:
    """Whether it has to go; if not, it is counted in again."""
    ledger.take(victim.place, victim.need)
    if ledger.place(need) is not None:
        return False
    ledger.give(victim.place, victim.need)
    return True
