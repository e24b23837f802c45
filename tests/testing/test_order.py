"""The suite's longest files come first, and files that share what is dear stay together."""

import os
import subprocess
import sys
from types import SimpleNamespace

from tests.order import SECONDS, TOGETHER, begin_with_the_longest, unit_of


def test_files_and_folders_that_are_named_are_there(repository):
    for unit in (*SECONDS, *TOGETHER):
        assert (repository / unit).exists(), unit


def test_a_unit_is_a_file_or_a_folder_that_stays_together():
    assert unit_of("tests/io/test_rows.py::test_rows[a/b::c]") == "tests/io/test_rows.py"
    assert unit_of("tests/security/test_urls.py::test_urls") == "tests/security"


def test_what_takes_longest_comes_first_and_each_unit_stays_in_one_piece():
    short, longest = "tests/a.py::test_a", f"{next(iter(SECONDS))}::test_{{}}"
    names = [short, "tests/security/test_a.py::test_a", longest.format(2), longest.format(1)]
    names += ["tests/security/test_b.py::test_b", *(f"tests/b.py::test_{n}" for n in range(3))]
    items = [SimpleNamespace(nodeid=name) for name in names]
    begin_with_the_longest(items)
    assert [item.nodeid for item in items] == [names[at] for at in (2, 3, 1, 4, 5, 6, 7, 0)]


HOOK = """
from tests.order import scheduler

def pytest_xdist_make_scheduler(config, log):
    return scheduler(config, log)
"""


def test_one_process_takes_a_folder_and_another_what_comes_next(repository, tmp_path):
    (tmp_path / "conftest.py").write_text(HOOK)
    for file in ("io/test_rows.py", "security/test_a.py", "security/test_b.py"):
        path = tmp_path / "tests" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def test_it(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadfile", "tests"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line.split() for line in done.stdout.splitlines() if "PASSED" in line]
    process = {words[-1]: words[0] for words in passed}
    assert len(process) == 3
    assert process["tests/security/test_a.py::test_it"] == process["tests/security/test_b.py::test_it"]
    assert len(set(process.values())) == 2
