"""What a worker sends that was given up: it is not kept, and its files go at once."""

from __future__ import annotations

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.driver import Driver
from gpucurate.backends.inline import InlineBackend
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec import events as ev
from gpucurate.spec.cluster import Node
from gpucurate.spec.progress import Silent
from gpucurate.spec.unit import OutputFile, Unit, UnitResult
from gpucurate.workflows.passes import plan_of
from tests.chaos.stages import Sieve


def test_files_of_a_result_that_comes_too_late_are_removed_at_once(tmp_path):
    stage = Sieve(3)
    with RunFolder(tmp_path / "out", "test", {}) as folder:
        units = [Unit("unit", 0, (), 1, payload=[])]
        driver = Driver(
            units,
            sizes={"unit": 1},
            lanes=[Lane("only")],
            policy=Policy(1, 10),
            backend=InlineBackend([Assignment("main", [stage], None, True)], Node("local", 1000, 1)),
            observer=Silent(),
            phase=Phase(folder, plan_of("main", [stage]), units),
        )
        late, other = folder.attempts / "unit-0-1-7-0", folder.attempts / "unit-0-2-8-0"
        late.write_text("written by worker 7, which was given up")
        other.write_text("being written by worker 8")
        result = UnitResult("unit", outputs=[OutputFile("out.jsonl", str(late), 1, 1, "")])
        driver._take((ev.UnitDone(7, "unit"), result))
        assert [path.name for path in folder.attempts.iterdir()] == [other.name]
