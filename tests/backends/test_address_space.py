"""Memory that really runs out: a process that is given less of it than a batch takes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

PROGRAM = """
    import gc, json, resource, sys
    import numpy as np, pyarrow as pa
    from gpucurate.backends.runner import Assignment, Runner
    from gpucurate.spec.events import Order
    from gpucurate.spec.unit import Unit
    from gpucurate.stages.base import ProcessingStage
    from gpucurate.tasks import DocumentBatch

    MB = 1_000_000
    calls = []

    class Wide(ProcessingStage):
        "Takes 100 MB a document, and 500 for a long one."

        def process(self, batch):
            calls.append(batch.num_items)
            lengths = [len(text) for text in batch.to_pyarrow()["text"].to_pylist()]
            work = []
            work.append(work)  # of a call that fails, only a collection frees what it held
            for length in lengths:
                work.append(np.ones(100 * MB * (5 if length > 1 else 1), np.uint8))
            work.clear()
            return batch

    def held():
        return next(int(l.split()[1]) * 1024 for l in open("/proc/self/status") if l.startswith("VmSize"))

    runner = Runner(Assignment("main", [Wide()], None, True), 0)
    runner.setup()
    texts = ["a", "b", "c", "d", "long", "e", "f", "g"]
    batch = DocumentBatch("set", pa.table({"text": texts}), "b")
    runner.run(Unit("warm", 0, (), 1, [batch.rows(0, 1)]), Order())
    calls.clear()
    gc.collect()
    resource.setrlimit(resource.RLIMIT_AS, (held() + 350 * MB,) * 2)
    result = runner.run(Unit("u", 0, (), 1, [batch]), Order(3, alone=True))
    json.dump({
        "texts": [t for task in result.tasks for t in task.to_pyarrow()["text"].to_pylist()],
        "rejected": dict(result.books.rejected),
        "balance": result.books.balance,
        "calls": calls,
        "fitted": [sample.fitted for sample in result.figures.samples],
    }, sys.stdout)
"""


def test_what_does_not_fit_is_done_in_halves_and_what_never_fits_is_rejected():
    program = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["texts"] == ["a", "b", "c", "d", "e", "f", "g"]
    assert told["rejected"] == {"oom": 1}
    assert told["balance"] == 0
    assert told["calls"] == [8, 4, 2, 2, 4, 2, 1, 1, 2]
    assert told["fitted"] == [False] * 5
