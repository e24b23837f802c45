"""What counts as the same plan."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pytest

from gpucurate.planning.planner import make_plan
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.function_decorators import processing_stage
from gpucurate.stages.specification import specify
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter


class Cut(ProcessingStage):
    def __init__(self, limit=1, **more):
        self.limit = limit
        self._private = more.get("private")
        self.more = more

    def process(self, task):
        return task


def fingerprint(*stages):
    return make_plan("main", [specify(stage) for stage in stages]).fingerprint


def above(limit):
    @processing_stage(name="above")
    def keep(batch):
        return batch.select(batch.to_pandas()["n"] > limit)

    return keep


@dataclass
class Options:
    a: int = 1


VALUES = [
    1, 2, 2**80, -(2**80), 1.5, float("nan"), np.float64(2.5), np.int64(3), True, None, "x", b"x", b"y" * 100,
    os.fsdecode(b"\xff"), Path("/a"), [1, [2]], (1, (3,)), {1, 2}, {"a", 1, None}, {"k": 1}, {3: 1},
    np.arange(3), np.arange(4), np.arange(3.0), re.compile("a"), re.compile("b"), re.compile("a", re.I),
    Options(), Options(2), functools.partial(int, "1"), functools.partial(int, "2"), len, str.upper,
    Cut, threading.Lock(),
]  # fmt: skip


def test_every_value_has_a_description_and_different_values_differ():
    stages = [Cut(value) for value in VALUES]
    assert len({fingerprint(stage) for stage in stages}) == len(VALUES)
    for stage in stages:
        orjson.dumps(specify(stage).config)


def test_descriptions_do_not_depend_on_the_process():
    # Sets of strings are ordered by a hash that each process draws anew.
    code = (
        "from tests.stages.test_specification import *;"
        "print(fingerprint(Cut({'a', 'b', 'c'}, z=re.compile('x'), y=np.arange(9), f=above(3).function)))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(told) == 1


def test_private_attributes_of_a_users_stage_count():
    assert fingerprint(Cut(private=1)) != fingerprint(Cut(private=2))


def test_a_stage_that_refers_to_itself_has_an_end():
    stage = Cut()
    stage.limit = stage
    assert fingerprint(stage)


def test_batch_size_and_name_count_but_resources_do_not():
    from gpucurate.stages.resources import Resources

    base = fingerprint(Cut())
    assert fingerprint(Cut().with_(batch_size=2)) != base
    assert fingerprint(Cut().with_(name="other")) != base
    assert fingerprint(Cut().with_(resources=Resources(cpus=3))) == base


def test_a_function_counts_by_its_source_and_what_it_encloses():
    @processing_stage(name="above")
    def keep(batch):
        return batch

    assert len({fingerprint(above(1)), fingerprint(above(2)), fingerprint(keep)}) == 3
    assert fingerprint(above(1)) == fingerprint(above(1))


def stage_from(folder: Path, body: str):
    module = folder / "changing.py"
    module.write_text(
        "from gpucurate.stages.base import ProcessingStage\n"
        f"class Base(ProcessingStage):\n    def process(self, task):\n        {body}\n"
        "class Step(Base):\n    pass\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import changing\n"
        "from gpucurate.stages.specification import specify\n"
        "from gpucurate.planning.planner import make_plan\n"
        "print(make_plan('p', [specify(changing.Step())]).fingerprint)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_changed_code_is_a_changed_plan_also_in_a_base_class(tmp_path):
    first = stage_from(tmp_path, "return task")
    assert stage_from(tmp_path, "return task") == first
    assert stage_from(tmp_path, "return None  ") != first


@pytest.fixture
def inputs(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_text('{"text": "a"}\n')
    return tmp_path


def test_where_things_lie_does_not_count(inputs):
    def pipeline(name):
        return fingerprint(JsonlReader(inputs / name, fields=["text"]), JsonlWriter(inputs / f"{name}-out"))

    assert pipeline("one") == pipeline("two")


def test_what_is_read_and_how_counts(inputs):
    def reader(**options):
        return fingerprint(JsonlReader(inputs / "one", **options))

    assert (
        len({reader(), reader(fields=["text"]), reader(blocksize=1000), reader(read_kwargs={"max_depth": 5})})
        == 4
    )


def test_a_subclass_of_a_reader_is_the_same_plan_when_it_has_listed_its_input(inputs):
    class Mine(JsonlReader):
        pass

    reader = Mine(inputs / "one")
    assert fingerprint(reader) == fingerprint(reader)
