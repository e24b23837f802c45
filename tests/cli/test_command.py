"""The command as a user types it: what it prints, and what it exits with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from gpucurate.cli.app import run
from tests.cli import calling as here


def start(*arguments: str | Path, cwd: Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gpucurate", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def call(*arguments: str | Path, cwd: Path, **options: object) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = start(*arguments, cwd=cwd, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with 200 documents, 50 of them twice."""
    folder = tmp_path / "data"
    folder.mkdir()
    texts = [f"document number {i} " + "abc " * (i % 7) for i in range(200)]
    lines = [json.dumps({"text": text}) for text in texts + texts[:50]]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_dedup_exact_prints_books_clusters_and_where_things_are(data: Path) -> None:
    code, out, err = call("dedup", "exact", "data", "-o", "out", "--log-text", cwd=data)
    assert (code, err) == (0, "")
    assert "250 read, 200 kept, 50 dropped, 0 rejected" in out
    assert "50 of 100 documents, 50 of them duplicates" in out
    assert "a.jsonl:0" in out
    assert "document number 0" in out
    assert len((data / "out" / "a.jsonl").read_text().splitlines()) == 200


def test_a_second_call_finds_everything_done(data: Path) -> None:
    call("dedup", "fuzzy", "data", "-o", "out", cwd=data)
    code, out, _ = call("dedup", "fuzzy", "data", "-o", "out", cwd=data)
    assert code == 0
    assert "an earlier run of this command had finished" in out


def test_dry_run_says_what_would_be_done_and_writes_nothing(data: Path) -> None:
    code, out, _ = here.call(
        "dedup", "fuzzy", "data", "-o", "out", "--dry-run", "--preset", "fineweb", cwd=data
    )
    assert code == 0
    assert "1 files" in out
    assert "shingle='word'" in out
    assert not (data / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nowhere", "-o", "out"], 5, "nowhere does not exist"),
        (["data/*.parquet", "-o", "out"], 5, "matches nothing"),
        (["other", "-o", "out"], 5, "holds nothing to read"),
        (["data", "-o", "data/out"], 3, "lies in the input"),
        (["data", "-o", "data"], 3, "lies in the input"),
        (["data/a.jsonl", "-o", "data"], 3, "lies in the output"),
        (["data", "-o", "other"], 4, "is not empty"),
        (["data", "-o", "other/readme.txt"], 3, "is a file"),
        (["data", "-o", "out", "--text-field", "body"], 3, "no column 'body' in a.jsonl: it has 'text'"),
        (["data", "-o", "out", "--memory", "lots"], 3, "'lots' is not a size"),
        (
            ["data", "-o", "out", "--compression", "snappy", "--format", "jsonl"],
            3,
            "choose one of none, gzip, zstd",
        ),
        (["data", "-o", "out", "--annotate", "--clusters-only"], 2, "give one of them"),
        (["data", "-o", "out", "--keep", "best"], 3, "'best' is not a policy"),
        (["data"], 2, "Missing option"),
        (["data", "-o", "/proc/nothing/here"], 6, "cannot write"),
        (["http://example.com/a.jsonl", "-o", "out"], 3, "http"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], code: int, sentence: str, data: Path
) -> None:
    (data / "other").mkdir()
    (data / "other" / "readme.txt").write_text("hello")
    found, out, err = here.call("dedup", "exact", *arguments, cwd=data)
    assert found == code
    assert sentence in err
    assert "Traceback" not in out + err
    assert not (data / "out").exists()


def test_debug_shows_the_traceback_and_ends_with_the_same_code(data: Path) -> None:
    code, _, err = call("dedup", "exact", "nowhere", "-o", "out", "--debug", cwd=data)
    assert code == 5
    assert "Traceback" in err


def test_an_empty_file_is_counted_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    code, out, _ = here.call("dedup", "exact", "empty.jsonl", "-o", "out", cwd=tmp_path)
    assert code == 0
    assert "0 read, 0 kept" in out


def test_an_error_page_in_place_of_data_exits_7(tmp_path: Path) -> None:
    (tmp_path / "page.jsonl").write_text("<html>\n502 Bad Gateway\n</html>\n")
    code, _, err = call("dedup", "exact", "page.jsonl", "-o", "out", cwd=tmp_path)
    assert code == 7
    assert "3 of 3 documents were rejected" in err


def test_terminal_sequences_in_text_are_not_passed_on(tmp_path: Path) -> None:
    line = json.dumps({"text": "\x1b[31mred\x1b[0m [bold]not bold[/bold]"})
    (tmp_path / "a.jsonl").write_text(f"{line}\n{line}\n")
    _, out, _ = here.call("dedup", "exact", "a.jsonl", "-o", "out", "--log-text", cwd=tmp_path)
    assert "\x1b" not in out
    assert "[bold]not bold[/bold]" in out


def test_nobody_reading_the_output_is_no_error(data: Path) -> None:
    process = start("dedup", "exact", "data", "-o", "out", cwd=data)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) in (0, 141)
    assert (data / "out" / "a.jsonl").exists()


def test_what_cannot_be_printed_is_told_and_the_output_is_there(data: Path) -> None:
    command = [sys.executable, "-m", "gpucurate", "dedup", "exact", "data", "-o", "out"]
    with open("/dev/full", "w") as full:
        process = subprocess.run(command, cwd=data, stdout=full, stderr=subprocess.PIPE, check=False)
    assert process.returncode == 6
    assert process.stderr.decode() == "gpucurate: cannot write what is printed: No space left on device\n"
    assert (data / "out" / "a.jsonl").exists()


def test_an_interrupt_between_phases_is_told_in_a_sentence(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gpucurate.workflows.deduplication.DeduplicationWorkflow.run", interrupted)
    assert run(["dedup", "exact", str(data / "data"), "-o", str(data / "out")]) == 130
    assert (
        capsys.readouterr().err == "gpucurate: interrupted: the same command goes on from what was finished\n"
    )


def large(folder: Path, documents: int = 40_000) -> Path:
    path = folder / "large.jsonl"
    with path.open("w") as file:
        for i in range(documents):
            file.write(json.dumps({"text": f"{i} " + "lorem ipsum dolor sit amet " * 60}) + "\n")
    return path


LARGE = ["dedup", "fuzzy", "large.jsonl", "--workers", "2", "--blocksize", "1MB"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with input and output of a run that no signal stops."""
    folder = tmp_path_factory.mktemp("undisturbed")
    large(folder, 120_000)  # so many that a run is not over when a busy machine sends the signal
    code, _, err = call(*LARGE, "-o", "clean", cwd=folder)
    assert code == 0, err
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_run_and_the_same_command_goes_on(
    undisturbed: Path, tmp_path: Path, number: int, code: int
) -> None:
    arguments = [*LARGE, "-o", tmp_path / "out"]
    # A shell starts what runs in the background with Ctrl-C ignored, and so these tests.
    heed = partial(signal.signal, number, signal.SIG_DFL)
    process = start(*arguments, cwd=undisturbed, preexec_fn=heed)
    log = tmp_path / "out" / "_gpucurate" / "commit.log"
    deadline = time.monotonic() + 60
    while (not log.exists() or not log.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=40)
    assert process.returncode == code, err
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    assert not [
        worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE
    ]
    assert log.read_bytes().count(b'"k":"done"') >= 1
    again, _, err = call(*arguments, cwd=undisturbed)
    assert again == 0, err
    assert "were done by an earlier run" in err
    for path in (undisturbed / "clean").glob("*.jsonl"):
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_a_sentence_and_the_run_can_be_continued(tmp_path: Path) -> None:
    large(tmp_path)
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], check=False
    ).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        arguments = ["dedup", "exact", "large.jsonl", "-o", "small/out", "--blocksize", "4MB"]
        code, _, err = call(*arguments, cwd=tmp_path)
        assert code == 6
        assert "No space left on device" in err
        assert "Traceback" not in err
        assert not (small / "out" / "_gpucurate" / "_SUCCESS").exists()
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        code, _, err = call(*arguments, cwd=tmp_path)
        assert code == 0, err
        kept = b"".join(p.read_bytes() for p in sorted((small / "out").glob("*.jsonl")))
        assert kept == (tmp_path / "large.jsonl").read_bytes()
    finally:
        subprocess.run(["umount", str(small)], check=False)


def test_another_policy_is_applied_to_the_clusters_of_a_run(data: Path) -> None:
    assert here.call("dedup", "exact", "data", "-o", "found", "--clusters-only", cwd=data)[0] == 0
    code, out, err = here.call("dedup", "apply", "found", "-o", "out", "--keep", "longest", "-q", cwd=data)
    assert (code, err) == (0, "")
    assert "250 read, 200 kept, 50 dropped, 0 rejected" in out
    code, out, _ = here.call("dedup", "apply", "found", "-o", "more", "--dry-run", cwd=data)
    assert "the clusters are there" in out
    code, _, err = here.call("dedup", "apply", "data", "-o", "more", cwd=data)
    assert (code, "is no run of gpucurate" in err) == (5, True)


def test_two_runs_are_compared(data: Path) -> None:
    here.call("dedup", "exact", "data", "-o", "exact", cwd=data)
    here.call("dedup", "fuzzy", "data", "-o", "fuzzy", "--no-normalize", cwd=data)
    code, out, err = here.call("compare", "exact", "fuzzy", "--examples", "1", cwd=data)
    assert (code, err) == (0, "")
    assert "50 of 100 documents in the first" in out
    assert "recall 1.0000" in out
    assert "50 documents by both, 0 by the first only" in out
    assert "together in the second only" in out
    code, out, _ = here.call("compare", "exact", "exact", "--json", cwd=data)
    assert (code, json.loads(out)["agreement"]["adjusted_rand_index"]) == (0, 1)
    code, _, err = here.call("compare", "exact", "data", cwd=data)
    assert (code, "no fuzzy_id_generator.json" in err) == (5, True)


def test_ids_for_nemo_curator_are_written_and_removed_by(data: Path) -> None:
    code, out, err = here.call(
        "dedup", "exact", "data", "-o", "ids", "--clusters-only", "--nemo-ids", cwd=data
    )
    assert (code, err) == (0, "")
    assert "out in 2 files" in out
    ids = ["--ids", "ids/ExactDuplicateIds", "--id-generator", "ids/exact_id_generator.json"]
    code, out, err = here.call("dedup", "remove", "data", *ids, "-o", "out", "-q", cwd=data)
    assert (code, err) == (0, "")
    assert "250 read, 200 kept, 50 dropped, 0 rejected" in out
    assert "clusters" not in out
    assert len((data / "out" / "a.jsonl").read_text().splitlines()) == 200
    code, out, _ = here.call("dedup", "remove", "data", *ids, "-o", "more", "--dry-run", cwd=data)
    assert (code, "documents are removed by their ids" in out) == (0, True)
    code, _, err = here.call("dedup", "remove", "data", *ids, "--id-field", "id", "-o", "x", cwd=data)
    assert (code, "give one of them" in err) == (2, True)
    code, _, err = here.call("dedup", "exact", "data", "-o", "x", "--nemo-ids", cwd=data)
    assert (code, "--clusters-only" in err) == (3, True)
