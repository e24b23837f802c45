from __future__ import annotations

import os
from dataclasses import replace

from gpucurate.planning.memory import ROW_GROUP, unit_memory
from gpucurate.planning.planner import make_plan
from gpucurate.planning.units import make_units, units_of_tasks
from gpucurate.spec.source import FileRange, InputFile
from gpucurate.spec.stage import StageSpec


def plan(batch_size=1, **config):
    return make_plan("main", [StageSpec("a", "A", config=config, batch_size=batch_size)])


def file(name, **changes):
    return replace(InputFile(f"/in/{name}", name, 1000, 7, None, "jsonl", "none"), **changes)


def whole(name, **changes):
    return (FileRange(file(name, **changes), 0, 1000),)


def test_units_are_named_by_what_they_read_and_not_by_their_place():
    groups = [whole("a"), whole("b"), whole("c")]
    ids = {unit.groups[0][0].file.name: unit.id for unit in make_units(plan(), groups)}
    again = {u.groups[0][0].file.name: u.id for u in make_units(plan(), [whole("z"), *reversed(groups)])}
    assert ids.items() <= again.items()
    assert len(set(again.values())) == 4


def test_another_place_on_the_machine_is_the_same_unit():
    (here,), (there,) = make_units(plan(), [whole("a")]), make_units(plan(), [whole("a", path="/else/a")])
    assert here.id == there.id


def test_whatever_a_unit_reads_is_in_its_name():
    first = file("a")
    groups = [
        whole("a"), whole("b"), whole("a", size=5), whole("a", mtime_ns=8), whole("a", etag="x"),
        (FileRange(first, 0, 10),), (FileRange(first, 10, 1000),), (*whole("a"), *whole("b")),
    ]  # fmt: skip
    ids = {unit.id for unit in make_units(plan(), groups)} | {make_units(plan(t=2), groups[:1])[0].id}
    assert len(ids) == len(groups) + 1


def test_names_that_are_not_utf8_are_names():
    odd = os.fsdecode(b"\xff\xfe.jsonl")
    one, other = make_units(plan(), [whole(odd), whole("a")])
    assert one.id != other.id


def test_a_unit_holds_as_many_tasks_as_the_widest_stage_takes():
    units = make_units(plan(batch_size=3), [whole(str(i)) for i in range(7)])
    assert [len(unit.groups) for unit in units] == [3, 3, 1]
    assert [unit.index for unit in units] == [0, 1, 2]
    assert units[0].est_bytes == 3000


def test_tasks_in_memory_are_named_by_place_and_content():
    given = [("x", 1, "aa"), ("y", 1, "aa"), ("z", 1, "bb")]
    units = units_of_tasks(plan(), given)
    assert len({unit.id for unit in units}) == 3
    changed = units_of_tasks(plan(), [*given[:2], ("z", 1, "cc")])
    assert [a.id == b.id for a, b in zip(units, changed, strict=True)] == [True, True, False]


def test_memory_is_that_of_a_piece_where_the_reader_works_in_pieces():
    (unit,) = make_units(plan(), [whole("a", size=10**9)])
    big = replace(unit, est_bytes=10**9)
    assert unit_memory(big, None) > unit_memory(big, 10**6)
    packed = replace(big, groups=(whole("a.gz", compression="gzip"),))
    assert unit_memory(packed, None) > unit_memory(big, None)


def test_memory_of_parquet_has_a_row_group_beside_the_pieces():
    (lines,) = make_units(plan(), [whole("a.jsonl")])
    lines = replace(lines, est_bytes=10**9)
    columns = replace(lines, groups=(whole("a.parquet", format="parquet"),))
    assert unit_memory(columns, 10**6) == unit_memory(lines, 10**6) + ROW_GROUP
    small = replace(columns, est_bytes=10)
    assert unit_memory(small, 10**6) < ROW_GROUP
