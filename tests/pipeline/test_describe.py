"""A pipeline as text."""

from __future__ import annotations

import operator

from gpucurate import Pipeline, processing_stage
from gpucurate.stages.shapes import Branch, Parallel, ReduceStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter, ParquetWriter

DESCRIBED = """\
Pipeline 'shapes': all of them
  1. jsonl_reader (gpucurate.stages.text.io.reader.JsonlReader)
     needs no column; adds text
     1 cores; 1 task at a time; devices cpu, cuda
  2. parallel(a, inner) (gpucurate.stages.shapes.parallel.Parallel)
     needs text; adds a
     1 cores; 1 task at a time; devices cpu, cuda
     each of these is given the batch; a row goes on if all keep it, with what they add:
       a. a (gpucurate.stages.function_decorators.FunctionStage)
          needs text; adds a
          1 cores; 1 task at a time; devices cpu, cuda
       b. inner (gpucurate.stages.shapes.parallel.Parallel)
          needs no column; adds none
          1 cores; 1 task at a time; devices cpu, cuda
          each of these is given the batch; a row goes on if all keep it, with what they add:
            a. b (gpucurate.stages.function_decorators.FunctionStage)
               needs no column; adds none
               1 cores; 1 task at a time; devices cpu, cuda
  3. branch (gpucurate.stages.shapes.branch.Branch)
     needs a; adds none
     1 cores; 1 task at a time; devices cpu, cuda
     rows where a: written to aside/
     other rows: go on
  4. odd ones (gpucurate.stages.shapes.branch.Branch)
     needs no column; adds none
     1 cores; 1 task at a time; devices cpu, cuda
     rows where is_odd: written to out/odd/, and go on
     all rows: go on
  5. documents (gpucurate.stages.shapes.reduce.ReduceStage)
     needs no column; adds none
     1 cores; 1 task at a time; devices cpu, cuda
     all batches go on as they are; their values are merged into report.reduced['documents']
  6. jsonl_writer (gpucurate.stages.text.io.writer.JsonlWriter)
     needs no column; adds none
     1 cores; 1 task at a time; devices cpu, cuda"""


def is_odd(batch):
    return [False] * batch.num_items


def test_shapes_show_what_is_in_them_and_what_goes_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a = processing_stage(name="a", inputs=["text"], outputs=["a"])(lambda b: b)
    b = processing_stage(name="b")(lambda b: b)
    stages = [
        JsonlReader("in", fields=["text"]),
        Parallel([a, Parallel([b], name="inner")]),
        Branch("a", to="aside"),
        Branch(is_odd, to=ParquetWriter("out/odd"), copy=True, name="odd ones"),
        ReduceStage(0, operator.add, lambda batch: batch.num_items, name="documents"),
        JsonlWriter("out"),
    ]
    assert Pipeline("shapes", "all of them", stages).describe() == DESCRIBED


def test_a_plan_names_what_runs_side_by_side(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n')
    a, b = (processing_stage(name=name)(lambda b: b) for name in "ab")
    pipeline = Pipeline("shapes", stages=[JsonlReader(tmp_path / "in.jsonl"), Parallel([a, b])])
    assert "parallel(a, b)" in pipeline.explain()
