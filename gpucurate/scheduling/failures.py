"""What follows when a unit fails: another try, a search for the document, or setting it aside."""

from __future__ import annotations

from collections.abc import Iterator

from gpucurate.scheduling.item import Item
from gpucurate.scheduling.state import State
from gpucurate.spec.errors import one_line
from gpucurate.spec.events import Action, Quarantine
from gpucurate.spec.suspect import Suspect

LONGEST_WAIT = 60.0
"""Seconds that a unit waits for its next try at the most."""


class Failures:
    """Rules for failures.

    A unit that fails is tried again until it has been tried ``max_attempts`` times, the last time
    with nothing else on its machine if it died or lacked memory: a unit that only suffered from its
    neighbours passes. Then the documents of it are tried in parts, to reject only those that are to
    blame; where that is not possible it is set aside. Failures of several units in a row without
    one success end the run, as does a failure of storage or configuration, which no other unit
    would be spared. A failure of the input sets the unit aside at once: the file will not be
    another one the next time.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._in_a_row = 0
        self._failing: set[str] = set()

    def success(self) -> None:
        """A unit went through."""
        if self._in_a_row:
            self._in_a_row = 0
            self._failing.clear()

    def failed(self, item: Item, kind: str, why: str, suspect: Suspect | None = None) -> Iterator[Action]:
        """A unit failed in its segment; it is in nobody's hands now."""
        state = self._state
        if kind in ("storage", "configuration"):
            state.put_back([item.unit])
            yield from state.fail(kind, why)
            return
        if kind == "input":
            yield from self._set_aside(item, kind, why)
            return
        if item.is_bisected:
            yield from self._go_on_searching(item, kind, why, suspect)
        elif item.attempts < state.policy.max_attempts:
            self._try_again(item, kind, why)
        elif state.stretches[item.segment].lane.splittable:
            self._search(item, kind, why, suspect)
        else:
            yield from self._set_aside(item, kind, why)
        yield from self.count(item.unit, kind, why)

    def count(self, who: str, kind: str, why: str) -> Iterator[Action]:
        """Note a failure; the run ends where too many came in a row."""
        policy = self._state.policy
        self._in_a_row += 1
        self._failing.add(who)
        if self._in_a_row >= policy.systemic_failures and len(self._failing) >= policy.systemic_units:
            yield from self._state.fail(kind, f"{why} ({self._in_a_row} failures in a row and no success)")

    def _try_again(self, item: Item, kind: str, why: str) -> None:
        state = self._state
        state.retries += 1
        limit = state.policy.max_attempts
        item.is_alone = kind in ("died", "memory") and item.attempts == limit - 1
        state.decide(
            "isolate" if item.is_alone else "retry",
            item.segment,
            f"unit {item.unit} failed in try {item.attempts} of {limit}: {one_line_of(why)}",
            unit=item.unit,
        )
        self._put_back(item, kind)

    def _put_back(self, item: Item, kind: str) -> None:
        """What a stage raised it may raise of any unit: others go first, to find that out soon."""
        self._state.put_back([item.unit], first=kind != "user")

    def _search(self, item: Item, kind: str, why: str, suspect: Suspect | None) -> None:
        """Look for the documents; the last try has told already among which, where it kept a journal."""
        state = self._state
        state.retries += 1
        item.is_bisected = True
        if kind == "died" and suspect is not None:
            item.narrows(suspect)
        item.is_alone = kind in ("died", "memory")
        state.decide(
            "bisect",
            item.segment,
            f"unit {item.unit} failed {item.attempts} times: {one_line_of(why)}",
            "not set aside yet: the documents that are to blame may be few",
            unit=item.unit,
        )
        self._put_back(item, kind)

    def _go_on_searching(self, item: Item, kind: str, why: str, suspect: Suspect | None) -> Iterator[Action]:
        state = self._state
        item.bisections += 1
        within = item.bisections <= state.policy.max_bisections
        if kind == "died" and within and suspect is not None and item.narrows(suspect):
            state.retries += 1
            state.decide(
                "bisect",
                item.segment,
                f"unit {item.unit} ended its worker at rows {suspect.start} to {suspect.stop} of batch "
                f"{suspect.batch}: {one_line_of(why)}",
                unit=item.unit,
            )
            state.put_back([item.unit])
            return
        yield from self._set_aside(item, kind, why)

    def _set_aside(self, item: Item, kind: str, why: str) -> Iterator[Action]:
        state = self._state
        tries = item.attempts
        state.decide(
            "quarantine",
            item.segment,
            f"unit {item.unit} failed {tries} times: {one_line_of(why)}",
            "" if kind == "input" else self._why_not(item),
            unit=item.unit,
        )
        segment = item.segment
        yield from state.forget(item)
        yield Quarantine(item.unit, kind, why, tries, segment)  # type: ignore[arg-type]

    def _why_not(self, item: Item) -> str:
        if not self._state.stretches[item.segment].lane.splittable:
            return "not bisected: what its stages make depends on how rows are divided into batches"
        return "no single document was found that is to blame"


def one_line_of(why: str) -> str:
    """The last line of a message: of a traceback, what was raised."""
    return one_line(Exception(why.strip().rsplit("\n", 1)[-1]))


def wait_before(attempt: int, first: float) -> float:
    """Seconds before a try: doubled each time."""
    return min(LONGEST_WAIT, first * 2.0 ** max(0, attempt - 1))
