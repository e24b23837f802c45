"""``--fresh``: what is left after a loss of power is never taken for whole, and still known for a run's."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.diskfaults.library import Faults, build
from tests.diskfaults.power import fail_power

RUNS = """
import sys
from pathlib import Path
from gpucurate.checkpoint.resume import Resume
from gpucurate.checkpoint.run_folder import RunFolder

out, state, mode = sys.argv[1:]
with RunFolder(Path(out), "test", {}, Path(state), Resume(mode)) as folder:
    if mode == "auto":
        for name in ("a", "b"):
            (Path(out) / name).write_text("x")
            record = {"k": "done", "phase": "p", "unit": name, "files": [[name, 1, 1, ""]]}
            folder.log.append(record)
            folder.ledger.note(record)
        folder.opened.add("p")
        folder.finish()
"""


@pytest.mark.parametrize("point", ["wipe.before_outputs", "wipe.before_state", "wipe.before_identity"])
@pytest.mark.parametrize("state", ["out/_gpucurate", "state"])
def test_each_step_of_a_removal_is_on_the_disk_before_the_next(
    tmp_path: Path, request: pytest.FixtureRequest, point: str, state: str
) -> None:
    assert request.config.cache is not None
    library, under = build(request.config.cache.mkdir("faults")), (tmp_path / "disk").resolve()
    under.mkdir()
    out, folder = under / "out", under / state
    given = [sys.executable, "-c", RUNS, str(out), str(folder)]
    subprocess.run([*given, "auto"], check=True)
    faults = Faults(tmp_path / "faults", under)
    kill = {"GPUCURATE_CRASH": f"{point}:1:{tmp_path / 'count'}", "LD_PRELOAD": str(library)}
    ended = subprocess.run(
        [*given, "fresh"], check=False, env={**os.environ, **faults.environment(logs=True), **kill}
    )
    assert ended.returncode < 0
    fail_power(faults, random.Random(0), lose_all=True)
    assert not (folder / "_SUCCESS").exists()
    assert (folder / "run.json").exists()
    outputs = [name for name in ("a", "b") if (out / name).exists()]
    assert outputs == (["a", "b"] if point == "wipe.before_outputs" else [])
    assert (folder / "commit.log").exists() == (point != "wipe.before_identity")
    subprocess.run([*given, "fresh"], check=True)
    assert not (out / "a").exists()
