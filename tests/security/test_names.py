"""Names that come from data never become paths elsewhere, and a terminal obeys none of them."""

from __future__ import annotations

import json

import fsspec
import pytest

from gpucurate import InlineExecutor, Pipeline
from gpucurate.cli.app import run
from gpucurate.io.output_name import check_output_names
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import FileRange, InputFile
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter

LINE = json.dumps({"id": "../../evil", "text": "some text"}) + "\n"

ODD = [
    "-rf.jsonl",
    "[red]x[bold].jsonl",
    "a\x1b[31mb.jsonl",
    "new\nline.jsonl",
    "per%cent.jsonl",
    "${id}.jsonl",
    "{text}.jsonl",
    "\u202erev.jsonl",
    "~.jsonl",
    "a;b|c&d.jsonl",
    "x" * 249 + ".jsonl",
]


def listed(name):
    file = InputFile(f"s3://bucket/{name}", name, 10, None, None, "jsonl", "none")
    return [FileRange(file, 0, 10, 0, 1)]


@pytest.mark.parametrize(
    "name",
    ["../a.jsonl", "x/../../a.jsonl", "/etc/a.jsonl", "x//a.jsonl", "./a.jsonl", "a\0.jsonl",
     "_gpucurate/run.jsonl"],
)  # fmt: skip
def test_a_name_of_a_store_that_leads_elsewhere_is_refused_before_any_work(name):
    with pytest.raises(ConfigurationError, match="no path for an output"):
        check_output_names(listed(name), None, None)


@pytest.mark.parametrize("name", ["a/b.jsonl", "..a.jsonl", "a...jsonl", "~/a.jsonl", *ODD])
def test_other_names_are_names(name):
    check_output_names(listed(name), None, None)


@pytest.fixture
def store():
    store = fsspec.filesystem("memory")
    store.pipe_file("/climb/data/a.jsonl", LINE.encode())
    yield store
    store.store.pop("/climb/data/../../up.jsonl", None)
    store.store.pop("/climb/data/x//b.jsonl", None)
    store.rm("/climb", recursive=True)


def write(out):
    return Pipeline("climb", stages=[JsonlReader("memory://climb/data"), JsonlWriter(out)]).run(
        InlineExecutor()
    )


def test_keys_that_climb_are_passed_over_as_hidden(store, tmp_path):
    store.store["/climb/data/../../up.jsonl"] = store.store["/climb/data/a.jsonl"]
    write(tmp_path / "deep" / "out")
    assert [path.name for path in tmp_path.rglob("*.jsonl") if "_gpucurate" not in path.parts] == ["a.jsonl"]


def test_a_run_over_keys_that_are_no_paths_writes_nothing(store, tmp_path):
    store.store["/climb/data/x//b.jsonl"] = store.store["/climb/data/a.jsonl"]
    with pytest.raises(ConfigurationError, match="no path for an output"):
        write(tmp_path / "out")
    assert not [path for path in tmp_path.rglob("*.jsonl") if "_gpucurate" not in path.parts]


def test_odd_names_are_read_written_and_shown_without_what_a_terminal_obeys(tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    for number, name in enumerate(ODD):
        (data / name).write_text(LINE.replace("some", str(number)))
    (data / "no\x1b]0;title\x07 input.txt").write_text("")
    arguments = [
        "dedup",
        "exact",
        str(data),
        "-o",
        str(tmp_path / "out"),
        "--executor",
        "inline",
        "--log-text",
    ]
    assert run(arguments) == 0
    assert {path.name for path in (tmp_path / "out").glob("*.jsonl")} == set(ODD)
    shown = capsys.readouterr()
    assert all(c.isprintable() or c == "\n" for c in shown.out + shown.err)
    assert "%1B]0;title%07 input.txt" in shown.out


def test_ids_and_values_of_columns_are_no_paths(tmp_path):
    (tmp_path / "a.jsonl").write_text(LINE)
    out = tmp_path / "deep" / "out"
    assert run(["dedup", "exact", str(tmp_path / "a.jsonl"), "-o", str(out), "--within", "id"]) == 0
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("name", ["a\x1b[31m\x07.jsonl", "[bold]x.jsonl", "gone\nline.jsonl"])
def test_errors_show_names_as_text(name, tmp_path, capsys):
    assert run(["dedup", "exact", str(tmp_path / name), "-o", str(tmp_path / "out")]) == 5
    said = capsys.readouterr().err
    assert all(c.isprintable() or c == "\n" for c in said)
    assert "does not exist" in said or "matches nothing" in said


def test_what_a_stage_says_is_shown_as_text():
    import io

    from rich.console import Console

    from gpucurate.telemetry.memory_watch import MemoryWatch
    from gpucurate.telemetry.progress import TerminalProgress

    out = io.StringIO()
    progress = TerminalProgress(Console(file=out, width=200), MemoryWatch())
    progress.trouble("unit 1: \x1b[2J\x9b2J [red]said[/red] token=abcd1234")
    progress.note("\x07noted [bold]")
    assert out.getvalue() == "unit 1: \ufffd[2J\ufffd2J [red]said[/red] token=***\n\ufffdnoted [bold]\n"


def test_verify_and_status_show_names_as_text(tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text(LINE)
    out = str(tmp_path / "out")
    assert run(["dedup", "exact", str(tmp_path / "a.jsonl"), "-o", out, "--executor", "inline"]) == 0
    (tmp_path / "out" / "odd\x1b[2J[red].jsonl").write_text("")
    run(["verify", out])
    run(["status", out])
    shown = capsys.readouterr().out
    assert "odd" in shown
    assert all(c.isprintable() or c == "\n" for c in shown)
