"""Documents that end the worker are found by what it noted before it died."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from gpucurate.backends.journal import journal_path, read_journal
from gpucurate.checkpoint.rejects import read_rejects
from gpucurate.spec.events import Order
from gpucurate.spec.suspect import Suspect
from tests.backends.batches import checking, read, run, texts_of

ROWS = 3000
DEADLY = {"17", "2999"}


def worker(order, folder):
    """Run a unit in a process of its own; whether it lived to see the end."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1] == 0

    def check(texts):
        if DEADLY & set(texts):
            os._exit(9)

    try:
        texts = [str(i) for i in range(ROWS)]
        tasks = [read(texts[i : i + 1000], i) for i in range(0, ROWS, 1000)]
        result = run(checking(len), checking(check), tasks=tasks, order=order, folder=folder)
        wanted = [text for text in texts if text not in DEADLY]
        (output,) = result.outputs
        lines = [entry["row"] for entry in read_rejects(Path(output.attempt))]
        good = texts_of(result.tasks) == wanted and lines == [17, 2999] and result.books.balance == 0
        os._exit(0 if good else 1)
    except BaseException:
        traceback.print_exc()
        os._exit(2)


def test_documents_that_end_the_worker_are_found_within_few_deaths_and_cost_no_others(tmp_path):
    suspects: list[Suspect] = []
    deaths = []
    for attempt in range(1, 20):
        order = Order(attempt, bisect=True, suspects=tuple(suspects), batch_cap=40_000 + 500 * attempt)
        if worker(order, tmp_path):
            break
        suspect = read_journal(journal_path(tmp_path, f"u-0-{attempt}-7"))
        assert suspect is not None
        assert suspect.stage == 1
        assert any(suspect.start <= int(text) < suspect.stop for text in DEADLY)
        deaths.append(suspect.rows)
        suspects = [s for s in suspects if not (s.start <= suspect.start and suspect.stop <= s.stop)]
        suspects.append(suspect)
    else:
        raise AssertionError(f"it dies still, after deaths at {deaths} rows")
    assert len(deaths) <= 8
    assert [s.rows for s in suspects] == [1, 1]
