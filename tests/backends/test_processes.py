"""A driver in a process of its own: signals, kill -9, full disks, odd surroundings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.backends.corpus import outputs, wait_for, write_corpus

SCRIPT = '''
import os, signal, sys, time
from pathlib import Path
from gpucurate import InlineExecutor, LocalExecutor, Pipeline
from gpucurate.spec.errors import GpucurateError, InterruptedRunError
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter

class Slow(ProcessingStage):
    """Defined in the script: workers get its code."""

    def __init__(self, seconds):
        self.seconds = seconds

    not_in_plan = ("seconds",)

    def process(self, batch):
        time.sleep(self.seconds)
        return batch.select(batch.to_pandas()["id"].to_numpy() % 3 != 0)

corpus, output, kind, seconds = sys.argv[1:5]
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
reader = JsonlReader(corpus, fields=["id"], files_per_partition=1)
stages = [reader, Slow(float(seconds)), JsonlWriter(output)]
executor = InlineExecutor() if kind == "inline" else LocalExecutor(workers=2)
try:
    result = Pipeline("script", stages=stages).run(executor)
except GpucurateError as error:
    print(type(error).__name__, error)
    sys.exit(128 + error.signum if isinstance(error, InterruptedRunError) else error.exit_code)
print("kept", result.report.books.kept, "resumed", result.report.phases[0].resumed_units)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The script and its input, which no test changes."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "script.py").write_text(SCRIPT)
    write_corpus(folder / "in", files=10)
    return folder


@pytest.fixture(scope="module")
def script(place):
    return place / "script.py"


@pytest.fixture(scope="module")
def corpus(place):
    return place / "in"


@pytest.fixture(scope="module")
def clean(script, corpus, place):
    """What a run without trouble writes."""
    command = [sys.executable, str(script), str(corpus), str(place / "clean"), "inline", "0"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"kept 133 resumed 0\n"
    return outputs(place / "clean")


@pytest.fixture
def start(script, corpus):
    """Starts the script; whatever is left of it ends with the test."""
    started = []

    def start(
        output: Path, kind: str = "local", seconds: float = 0.0, given: Path = corpus, **options
    ) -> subprocess.Popen[str]:
        command = [sys.executable, str(script), str(given), str(output), kind, str(seconds)]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def committed(output: Path) -> int:
    log = output / "_gpucurate" / "commit.log"
    return len(log.read_bytes().splitlines()) if log.exists() else 0


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """What was forked for it, and what forks."""
    return psutil.Process(process.pid).children(recursive=True)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_stages_of_a_script_run_in_workers(start, clean, tmp_path):
    assert end(start(tmp_path / "out")) == (0, "kept 133 resumed 0\n")
    assert outputs(tmp_path / "out") == clean


@pytest.mark.parametrize(
    ("kind", "number"),
    [("inline", signal.SIGINT), ("local", signal.SIGINT), ("local", signal.SIGTERM)],
    ids=["inline, SIGINT", "local, SIGINT", "local, SIGTERM"],
)
def test_a_signal_ends_the_run_with_what_is_in_flight_and_the_same_command_goes_on(
    start, clean, tmp_path, number, kind
):
    output = tmp_path / "out"
    process = start(output, kind, 0.3)
    wait_for(lambda: committed(output))
    workers = workers_of(process)
    process.send_signal(number)
    code, said = end(process)
    assert code == 128 + number
    assert said.startswith("InterruptedRunError interrupted with ")
    assert said.endswith("of 10 units done; the same command goes on from there\n")
    assert all(is_gone(worker) for worker in workers)
    assert bool(workers) == (kind == "local")
    done = committed(output)
    assert 1 <= done < 10
    assert len(outputs(output)) == done
    assert not (output / "_gpucurate" / "_SUCCESS").exists()
    assert end(start(output, kind)) == (0, f"kept 133 resumed {done}\n")
    assert outputs(output) == clean


def test_a_signal_to_the_whole_group_finishes_what_is_in_flight(start, tmp_path):
    output = tmp_path / "out"
    process = start(output, seconds=0.4)
    wait_for(lambda: committed(output))
    for each in [*workers_of(process), psutil.Process(process.pid)]:
        each.send_signal(signal.SIGTERM)
    code, said = end(process)
    assert code == 143
    assert "killed" not in said


def test_a_second_signal_ends_the_run_at_once(start, tmp_path):
    output = tmp_path / "out"
    process = start(output, seconds=30)
    (worker, *_) = wait_for(lambda: workers_of(process))
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    code, said = end(process)
    assert time.monotonic() - began < 5
    assert code not in (0, 8), said
    wait_for(lambda: is_gone(worker), 5)


def test_kill_9_of_the_driver_at_any_time_costs_nothing_but_time(start, clean, tmp_path):
    output = tmp_path / "out"
    for commits in (0, 2, 5, 9):
        process = start(output, seconds=0.1)
        wait_for(lambda p=process, n=commits: committed(output) >= n and workers_of(p))
        workers = workers_of(process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_for(lambda workers=workers: all(is_gone(worker) for worker in workers), 5)
    code, said = end(start(output))
    assert code == 0, said
    assert said.startswith("kept 133 resumed")
    assert outputs(output) == clean
    manifest = json.loads((output / "_gpucurate" / "manifest.json").read_text())
    assert [entry["name"] for entry in manifest["files"]] == sorted(clean)
    assert sum(entry["rows"] for entry in manifest["files"]) == 133
    assert (output / "_gpucurate" / "_SUCCESS").exists()
    units = [
        json.loads(line[9:])["unit"]
        for line in (output / "_gpucurate" / "commit.log").read_bytes().splitlines()
    ]
    assert len(units) == len(set(units)) == 10


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB, where tests may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no permission to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["inline", "local"])
def test_a_full_disk_is_a_sentence_and_the_run_goes_on_when_there_is_room(start, tmp_path, small_disk, kind):
    large = write_corpus(tmp_path / "in", files=10, rows=200, size=1000)
    code, said = end(start(small_disk / "out", kind, given=large))
    assert code == 6, said
    assert said.startswith("StorageError ")
    assert "No space left on device" in said
    assert not (small_disk / "out" / "_gpucurate" / "_SUCCESS").exists()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    code, said = end(start(small_disk / "out", kind, given=large))
    assert code == 0, said
    kept = [line for path in sorted(large.iterdir()) for line in path.read_text().splitlines()]
    written = [line for path in sorted((small_disk / "out").glob("*.jsonl")) for line in path.open()]
    assert written == [f"{line}\n" for line in kept if json.loads(line)["id"] % 3]


def test_a_limit_on_file_sizes_is_a_storage_error(start, tmp_path):
    import resource

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200))

    large = write_corpus(tmp_path / "in", files=4, rows=50)
    code, said = end(start(tmp_path / "out", "inline", given=large, preexec_fn=limit))
    assert code == 6, said
    assert said.startswith("StorageError ")
    assert end(start(tmp_path / "out", "inline", given=large))[0] == 0


def test_modules_of_the_current_folder_hide_none_of_pythons(start, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("queue", "socket", "pickle", "numpy"):
        (elsewhere / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    assert end(start(tmp_path / "out", cwd=elsewhere)) == (0, "kept 133 resumed 0\n")


def test_a_current_folder_that_is_gone_is_not_needed(script, corpus, tmp_path):
    code = f"import os, shutil; shutil.rmtree(os.getcwd()); exec(open({str(script)!r}).read())"
    gone = tmp_path / "gone"
    gone.mkdir()
    command = [sys.executable, "-P", "-c", code, str(corpus), str(tmp_path / "out"), "local", "0"]
    done = subprocess.run(command, cwd=gone, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "kept 133 resumed 0\n"), done.stderr


def test_standard_input_is_left_alone_and_standard_error_may_be_closed(script, corpus, tmp_path):
    command = f"{sys.executable} {script} {corpus} {tmp_path / 'out'} local 0 2>&- && cat"
    done = subprocess.run(
        ["bash", "-c", command], input="still here", capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "kept 133 resumed 0\nstill here")


def test_a_python_that_does_not_know_its_program_says_so(script, corpus, tmp_path):
    code = f"import sys; sys.executable = ''; exec(open({str(script)!r}).read())"
    command = [sys.executable, "-c", code, str(corpus), str(tmp_path / "out"), "local", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert "sys.executable" in done.stdout


def test_ignored_signals_stay_ignored(script, corpus, tmp_path):
    output = tmp_path / "out"
    code = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "sys.exit(subprocess.call(sys.argv[1:], restore_signals=False))"
    )
    command = [
        sys.executable,
        "-c",
        code,
        sys.executable,
        str(script),
        str(corpus),
        str(output),
        "local",
        "0.1",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: committed(output))
    (driver,) = psutil.Process(process.pid).children()
    driver.send_signal(signal.SIGTERM)
    assert end(process) == (0, "kept 133 resumed 0\n")
