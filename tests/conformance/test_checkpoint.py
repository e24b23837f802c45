"""A checkpoint between stages on clusters: taken up by a later run, and begun anew.

Of the executors of this machine tests/stages/shapes/test_checkpoint.py tells the same, and more.
"""

from __future__ import annotations

import pytest

from gpucurate import Checkpoint, Pipeline
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.backends.corpus import outputs
from tests.conformance.conftest import make, tried_with_ray_only
from tests.conformance.stages import Even, Length
from tests.conformance.test_executors import marks

BEGAN = "checkpoint: units that began behind it"


@pytest.mark.parametrize("name", ["dask", "ray"])
def test_a_later_run_begins_at_a_checkpoint_and_a_fresh_one_before_it(corpus, tmp_path, name, request):
    if tried_with_ray_only(name, request):
        pytest.skip("Ray is tried by make test-ray (--ray)")
    executor = make(name, request)
    seen = tmp_path / "seen"
    seen.mkdir()

    def run(output, resume="auto"):
        first = JsonlReader(corpus, fields=["id", "text"], files_per_partition=1)
        stages = [first, Even(seen), Checkpoint(tmp_path / "saved"), Length(), JsonlWriter(tmp_path / output)]
        report = Pipeline("conformance", stages=stages).run(executor, resume=resume).report
        return report.counts[BEGAN], marks(seen, "process")

    assert run("first") == (0, 6)
    (tmp_path / "saved/note.txt").write_text("somebody's")
    assert run("second", resume="fresh") == (0, 12)
    assert run("third") == (6, 12)
    assert (tmp_path / "saved/note.txt").exists()
    assert outputs(tmp_path / "first") == outputs(tmp_path / "second") == outputs(tmp_path / "third")
