"""A log of events, told to a scheduler once more: the same events lead to the same actions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import orjson

from gpucurate.backends.sim.laws import Laws
from gpucurate.backends.sim.simulation import MakeCore, Watch
from gpucurate.scheduling.core import Core
from gpucurate.scheduling.recording import Recording
from gpucurate.spec.errors import InputError
from gpucurate.spec.event_log import from_plain, to_plain
from gpucurate.spec.events import Action, Event


@dataclass(frozen=True, slots=True)
class EventLog:
    """Events of a run.

    Attributes:
        recording: what the scheduler was made of.
        events: (second, event) in order.
    """

    recording: Recording
    events: tuple[tuple[float, Event], ...]


def log_lines(recording: Recording, events: Iterable[tuple[float, Event]]) -> Iterable[bytes]:
    """Lines of a log, each with its end."""
    yield orjson.dumps(recording.to_plain()) + b"\n"
    for now, event in events:
        yield orjson.dumps([now, to_plain(event)]) + b"\n"


def read_log(path: str | PathLike[str]) -> EventLog:
    """A log, as the driver writes it into the run folder's ``events``.

    A last line that a kill has cut is left out.

    Raises:
        InputError: another line is not an event.
    """
    *lines, _cut = Path(path).read_bytes().split(b"\n")
    if not lines:
        raise InputError(f"{path} is empty: a log of events begins with what the scheduler was made of")
    events = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            now, plain = orjson.loads(line)
            events.append((float(now), from_plain(plain)))
        except (ValueError, TypeError) as error:
            raise InputError(f"line {number} of {path} is not an event: {error}") from error
    return EventLog(Recording.from_plain(orjson.loads(lines[0])), tuple(events))


def replay(
    log: EventLog,
    *,
    make_core: MakeCore = Core,
    watch: Watch | None = None,
) -> list[list[Action]]:
    """Tell a fresh scheduler what happened then.

    Args:
        log: what happened.
        make_core: makes the scheduler.
        watch: is shown each event with the actions that follow.

    Returns:
        the first actions, then those of each event.

    Raises:
        IllegalActionError: the scheduler asked for what it must not.
    """
    made = log.recording
    core = make_core(made.lanes, made.units, made.policy, made.nodes)
    laws = Laws(made.lanes, made.units, made.policy, made.nodes)
    answers = [core.start(0.0)]
    laws.check(answers[0])
    for now, event in log.events:
        laws.told(event)
        answers.append(core.on(event, now))
        laws.check(answers[-1])
        if watch is not None:
            watch(now, event, answers[-1])
    return answers
