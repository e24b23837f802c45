"""A log of events, read back and gone through again."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpucurate.backends.sim.distributions import Lognormal
from gpucurate.backends.sim.faults import Faults, NodeLoss, Trouble
from gpucurate.backends.sim.model import LaneModel
from gpucurate.backends.sim.replay import log_lines, read_log, replay
from gpucurate.backends.sim.scenario import Scenario, uniform_nodes
from gpucurate.backends.sim.simulation import Simulation
from gpucurate.scheduling.core import Core
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.scheduling.recording import Recording
from gpucurate.spec.cluster import Gpu, Need, Node
from gpucurate.spec.errors import InputError
from gpucurate.spec.event_log import from_plain, to_plain
from gpucurate.spec.events import (
    Action,
    Commit,
    Event,
    InputLost,
    NodeDown,
    NodeUp,
    SetupFailed,
    StopRequested,
    Tick,
    UnitDone,
    UnitFailed,
    WorkerDied,
    WorkerReady,
)
from gpucurate.spec.figures import Figures, MemorySample
from gpucurate.spec.suspect import Suspect

EXAMPLE = Path(__file__).parent / "example-events.jsonl"
FIGURES = Figures(1.5, 7, 8, 9, (MemorySample(5, None, False, 3), MemorySample(4, 2, True)))
EVENTS: tuple[Event, ...] = (
    WorkerReady(1, 2, 3),
    WorkerDied(1, "it crashed", "host_memory", Suspect(0, 1, 2, 3), False),
    WorkerDied(2, "it crashed"),
    SetupFailed(1, "user", "no model"),
    UnitDone(1, "a", FIGURES),
    UnitDone(1, "a"),
    UnitFailed(1, "a", "memory", "no room", FIGURES),
    InputLost(1, "a", "gone"),
    NodeUp(Node("n", 4000, 10**9, (Gpu("0", 80),), 5)),
    NodeDown("n", "no answer"),
    Tick(),
    StopRequested("SIGTERM"),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_from_json_as_it_was(event: Event) -> None:
    assert from_plain(orjson.loads(orjson.dumps(to_plain(event)))) == event


@given(st.text(), st.integers(0, 2**53), st.floats(0, 1e9))
def test_whatever_a_unit_is_called_comes_back(unit: str, nbytes: int, seconds: float) -> None:
    event = UnitDone(3, unit, Figures(seconds, nbytes))
    assert from_plain(orjson.loads(orjson.dumps(to_plain(event)))) == event


@pytest.mark.parametrize(
    "plain", [{}, {"event": "Coffee"}, {"event": ["Tick"]}, {"event": "NodeDown"}, {"event": "Tick", "at": 3}]
)
def test_what_is_no_event_is_an_error_of_the_input(plain: dict[str, object]) -> None:
    with pytest.raises(InputError, match="an event log holds"):
        from_plain(plain)


def test_writing_the_event_of_a_finished_unit_costs_microseconds() -> None:
    event = UnitDone(7, "c0ffee" * 5, Figures(1.5, 10**6, 10**8))
    timings = []
    for _ in range(20):
        began = time.thread_time()
        for _ in range(1000):
            to_plain(event)
        timings.append((time.thread_time() - began) / 1000)
    assert min(timings) < 20e-6  # 1 on an idle machine


def busy() -> Scenario:
    """Three segments on two machines, with about every fault."""
    model = LaneModel(seconds=Lognormal(1.0, 0.5))
    return Scenario(
        (
            Lane("a", Need(1000), edge_bytes=10**7),
            Lane("b", Need(500, gpus_milli=500), edge_bytes=10**7),
            Lane("c", Need(1000)),
        ),
        (model, model, model),
        tuple((f"u{index}", 10**6) for index in range(40)),
        uniform_nodes(2, cpus=8, memory=10**10, gpus=1, gpu_memory=10**10),
        Policy(None, 10**9, max_slots=2, slot_seconds=10.0, systemic_failures=1000, seed=5),
        Faults(
            crashes_per_hour=60.0,
            inputs_lost=0.05,
            losses=(NodeLoss("node-1", 9.0, 1.0, 10.0),),
            troubles={"u3": Trouble(1, "kills", rows=100, bad=(17,)), "u5": Trouble(2, "user")},
        ),
    )


def logged(scenario: Scenario, path: Path) -> list[list[Action]]:
    """Run, write the log, and give the answers."""
    told: list[tuple[float, Event]] = []
    answers: list[list[Action]] = []

    def note(now: float, event: Event, actions: list[Action]) -> None:
        told.append((now, event))
        answers.append(actions)

    Simulation(scenario, watch=note).run()
    recording = Recording.of(scenario.lanes, scenario.units, scenario.policy, scenario.nodes)
    path.write_bytes(b"".join(log_lines(recording, told)))
    return answers


def test_a_log_of_a_troubled_run_leads_to_the_same_actions(tmp_path: Path) -> None:
    answers = logged(busy(), tmp_path / "events.jsonl")
    again = replay(read_log(tmp_path / "events.jsonl"))
    assert len(answers) > 200
    assert again[1:] == answers


def test_whoever_replays_is_shown_every_event(tmp_path: Path) -> None:
    answers = logged(busy(), tmp_path / "events.jsonl")
    seen: list[list[Action]] = []
    replay(read_log(tmp_path / "events.jsonl"), watch=lambda now, event, actions: seen.append(actions))
    assert seen == answers


def test_a_last_line_that_a_kill_has_cut_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    logged(busy(), path)
    whole = read_log(path)
    path.write_bytes(path.read_bytes()[:-9])
    assert read_log(path).events == whole.events[:-1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b'{"lanes": 3}\n', "does not begin with"),
        (b"[1]\nnonsense\n", "line 2 of"),
        (b"{}\n[1, {}]\n", "an event log holds None"),
        (b"{}\n[3]\n", "line 2 of"),
    ],
)
def test_a_file_that_is_no_log_is_told_apart(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_log(path)


def test_the_example_of_a_log_ends_with_every_unit_committed() -> None:
    """Three units, one worker that dies of nobody's fault: a failure of the field as a test."""
    log = read_log(EXAMPLE)
    committed = [a.unit for answer in replay(log) for a in answer if isinstance(a, Commit)]
    assert sorted(committed) == ["a", "b", "c"]
    core = Core(log.recording.lanes, log.recording.units, log.recording.policy, log.recording.nodes)
    core.start(0.0)
    for now, event in log.events:
        core.on(event, now)
    assert core.finished
