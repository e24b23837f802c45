"""One out-of-memory error on Ray teaches every worker of the segment."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'gpucurate[ray]'")

from gpucurate import InlineExecutor, Pipeline
from gpucurate.backends.ray.executor import RayExecutor
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.backends.corpus import outputs, write_corpus

WORKERS, FILES, ROWS = 4, 48, 400


class Greedy(ProcessingStage):
    """Runs out of memory once, and notes the size of every batch that it is given."""

    not_in_plan = ("folder",)

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def process(self, batch):
        mine = Path(self.folder, f"{os.getpid()}.jsonl")
        with mine.open("a") as notes:
            print(json.dumps([time.time(), batch.nbytes, self.context.unit_index]), file=notes)
        time.sleep(0.15)
        if self.context.unit_index >= WORKERS and self.is_first():
            raise MemoryError("injected")
        return batch

    def is_first(self) -> bool:
        try:
            Path(self.folder, "failed").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def test_one_error_lowers_the_batches_of_all_four_workers_within_one_unit_each(tmp_path, caplog):
    corpus = write_corpus(tmp_path / "in", files=FILES, rows=ROWS, size=600)
    notes = tmp_path / "notes"
    notes.mkdir()

    def pipeline(output, stage):
        reader = JsonlReader(corpus, fields=["id", "text"], files_per_partition=1)
        return Pipeline("greedy", stages=[reader, stage, JsonlWriter(output)])

    with caplog.at_level(logging.INFO, "gpucurate.scheduler"):
        result = pipeline(tmp_path / "out", Greedy(notes)).run(RayExecutor(workers=WORKERS))

    (decision,) = [d for d in result.report.phases[0].decisions if d.what == "cap"]
    cap = decision.after
    assert decision.before is None
    assert cap
    told = str(decision)
    assert f"None -> {cap}" in told
    assert "out of memory" in told
    assert told in result.describe()
    assert told in caplog.text
    assert decision.to_dict() in result.report.to_dict()["phases"][0]["decisions"]

    (learnt_at,) = [record.created for record in caplog.records if record.getMessage() == told]
    workers = sorted(notes.glob("*.jsonl"))
    assert len(workers) == WORKERS
    for worker in workers:
        lines = [json.loads(line) for line in worker.read_text().splitlines()]
        units = list(dict.fromkeys(unit for at, _, unit in lines if at > learnt_at))
        large = {unit for at, size, unit in lines if at > learnt_at and size > cap}
        assert len(units) > 2, "it goes on"
        assert large <= set(units[:1]), "at most what it had been given before"

    (notes / "failed").touch()
    pipeline(tmp_path / "plain", Greedy(notes)).run(InlineExecutor())
    assert outputs(tmp_path / "out") == outputs(tmp_path / "plain")
