from __future__ import annotations

import os

import pytest

from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.disk import files as durable
from gpucurate.planning.planner import make_plan
from gpucurate.planning.units import make_units
from gpucurate.spec.books import Books
from gpucurate.spec.errors import OutputInUseError
from gpucurate.spec.source import FileRange, InputFile
from gpucurate.spec.stage import StageSpec
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.spec.unit import OutputFile, RangeTally, UnitResult

ODD = os.fsdecode(b"a\xff\n.jsonl")
PLAN = make_plan("main", [StageSpec("a", "A")])
FILES = [
    InputFile(f"/in/{name}", name, 10, 1, None, "jsonl", "none") for name in ("one.jsonl", "two.jsonl", ODD)
]
UNITS = make_units(PLAN, [(FileRange(file, 0, 10),) for file in FILES])


def result_of(folder: RunFolder, unit, name=None) -> UnitResult:
    attempt = folder.attempts / f"{unit.id}-1-0-0000"
    attempt.write_text(unit.id)
    final = name or f"sub/{unit.groups[0][0].file.name}"
    return UnitResult(
        unit.id,
        [OutputFile(final, str(attempt), 3, len(unit.id), "ab")],
        Books(read=3, kept=3),
        [StagePerfStats("a", 1.5, num_items_out=3)],
        [RangeTally(unit.groups[0][0].file.name, 0, 3, 0)],
        {"fact": 1},
        input_bytes=10,
    )


def test_what_was_committed_is_done_for_the_next_owner(tmp_path):
    with RunFolder(tmp_path, "test", {}) as folder:
        phase = Phase(folder, PLAN, UNITS)
        committed = {unit.id: result_of(folder, unit) for unit in UNITS[1:]}
        for unit in UNITS[1:]:
            phase.commit([(unit, committed[unit.id])])
    with RunFolder(tmp_path, "test", {}) as folder:
        again = Phase(folder, PLAN, UNITS)
        assert set(again.done) == set(committed)
        for unit, result in again.done.items():
            for output in committed[unit].outputs:
                assert folder.final_path(output.name).read_text() == unit
            assert result.books == committed[unit].books
            assert result.tallies == committed[unit].tallies
            assert result.stages == committed[unit].stages
            assert [o.name for o in result.outputs] == [o.name for o in committed[unit].outputs]


def test_the_order_is_write_rename_record(tmp_path, monkeypatch):
    order = []
    real = durable.fsync_folder
    monkeypatch.setattr(
        durable, "fsync_folder", lambda path: (order.append(("folder", path.name)), real(path))
    )
    with RunFolder(tmp_path, "test", {}) as folder:
        order.clear()
        phase = Phase(folder, PLAN, UNITS)
        folder.store.settle()
        order.clear()
        append = folder.log.append
        folder.log.append = lambda record: (order.append(("record", record["unit"])), append(record))
        result = result_of(folder, UNITS[0])
        phase.commit([(UNITS[0], result)])
    # The new folder sub/ is itself a name that must last.
    assert order == [("folder", "sub"), ("folder", tmp_path.name), ("record", UNITS[0].id)]


def test_a_name_without_a_record_is_made_again_and_replaced(tmp_path):
    with RunFolder(tmp_path, "test", {}) as folder:
        Phase(folder, PLAN, UNITS)
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "one.jsonl").write_text("a half")
    with RunFolder(tmp_path, "test", {}) as folder:
        phase = Phase(folder, PLAN, UNITS)
        assert not phase.done
        phase.commit([(UNITS[0], result_of(folder, UNITS[0]))])
        assert (tmp_path / "sub" / "one.jsonl").read_text() == UNITS[0].id


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_text("cut")])
def test_a_record_whose_file_is_gone_or_cut_is_not_done(tmp_path, harm):
    with RunFolder(tmp_path, "test", {}) as folder:
        phase = Phase(folder, PLAN, UNITS)
        for unit in UNITS:
            phase.commit([(unit, result_of(folder, unit))])
        folder.finish()
    harm(tmp_path / "sub" / "two.jsonl")
    with RunFolder(tmp_path, "test", {}) as folder:
        assert set(Phase(folder, PLAN, UNITS).done) == {UNITS[0].id, UNITS[2].id}
        assert not folder.is_finished, "readers must not take it for whole"


def test_another_plan_or_input_is_refused_with_what_differs(tmp_path):
    with RunFolder(tmp_path, "test", {}) as folder:
        Phase(folder, PLAN, UNITS)
        other = make_plan("main", [StageSpec("a", "A", config={"limit": 2})])
        with pytest.raises(OutputInUseError, match="limit"):
            Phase(folder, other, UNITS)
    with (
        RunFolder(tmp_path, "test", {}) as folder,
        pytest.raises(OutputInUseError, match=r"another input: 2 removed \(a%FF%0A.jsonl, two.jsonl\)"),
    ):
        Phase(folder, PLAN, UNITS[:1])


def test_what_was_set_aside_is_described_and_forgotten_when_tried_again(tmp_path):
    with RunFolder(tmp_path, "test", {}) as folder:
        Phase(folder, PLAN, UNITS).set_aside(UNITS[2], "user", "boom", 3)
        described = folder.read_json("quarantine/main-000002.json")
        assert described["why"] == "boom"
        assert described["reads"] == [{"path": "/in/a%FF%0A.jsonl", "start": 0, "stop": 10}]
        Phase(folder, PLAN, UNITS)
        assert not list((folder.path / "quarantine").iterdir())
