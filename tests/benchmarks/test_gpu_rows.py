"""Rows of the GPU benchmark: shares, verdicts, the table, and failures that stay rows."""

import json
from pathlib import Path

import pytest

from benchmarks.gpu.bench_gpu import Bench, fitted, main
from benchmarks.gpu.plan import Plan, smoke_plan
from benchmarks.gpu.rows import HEADS, MARK, Report, Row, number, row_of, table
from benchmarks.gpu.sections import NAMES, SECTIONS, Section


def row(**values):
    return Row(section="kernels.text", name="document_hash", **values)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"figure": 61, "goal": 60}, "ok"),
        ({"figure": 59, "goal": 60}, "missed"),
        ({"figure": 59, "kernels": 61, "goal": 60}, "missed, ok by its kernels alone"),
        ({"figure": 59}, ""),
        ({"goal": 60, "error": "no device"}, ""),
    ],
)
def test_a_goal_is_held_against_the_whole_call(values, verdict):
    assert row(**values).verdict == verdict


def test_the_share_of_a_ceiling_is_that_of_the_kernels_where_they_were_timed():
    assert row(figure=50, ceiling=200).share == 0.25
    assert row(figure=50, kernels=100, ceiling=200).share == 0.5
    assert row(figure=50).share is None
    assert row(ceiling=50).share is None


def test_the_table_shows_figures_goals_failures_and_what_was_skipped():
    rows = [
        row(figure=2100.4, kernels=4000, ceiling=4200, goal=1500, spread=0.02),
        row(error="DeviceError: a | b"),
        row(skipped="cudf is not installed", goal=5, unit="x"),
    ]
    lines = table(rows).splitlines()
    assert {line.count("|") for line in lines} == {len(HEADS) + 1}
    assert "| 2,100 GB/s | 4,000 | 4,200 | 95% | 2% | 1,500 GB/s: ok |" in lines[2]
    assert "failed: DeviceError: a / b" in lines[3]
    assert "| 5 x: no figure | skipped: cudf is not installed |" in lines[4]


def test_numbers_have_three_digits_that_count():
    assert [number(value) for value in (0.01234, 5.678, 127.4, 4321.0)] == ["0.0123", "5.68", "127", "4,321"]


def test_a_failed_measurement_is_a_row_and_the_next_one_is_measured(capsys):
    report = Report("kernels.text")
    report.attempt("one", lambda: {}["nothing"])
    report.attempt("two", lambda: report.row("two", 3.0, unit="us"))
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith(MARK)]
    one, two = (row_of(json.loads(line.removeprefix(MARK))) for line in printed)
    assert one.error == "KeyError: 'nothing'"
    assert (two.figure, two.unit, two.error) == (3.0, "us", "")


def test_a_plan_reaches_another_process_whole():
    plan = Plan(folder=Path("there"), ceilings={"device read": 4000.0})
    assert Plan.from_json(plan.to_json()) == plan


def test_a_corpus_for_which_there_is_no_room_is_made_smaller(tmp_path, capsys):
    assert fitted(smoke_plan(tmp_path)) == smoke_plan(tmp_path)
    smaller = fitted(Plan(folder=tmp_path, corpus_bytes=10**18))
    assert 0 < smaller.corpus_bytes < 10**18
    assert "has room for a corpus of" in capsys.readouterr().out


def test_a_group_names_its_sections():
    chosen = [section.name for section in SECTIONS if section.is_named(["kernels", "readers.cudf"])]
    assert chosen == ["kernels.text", "kernels.minhash", "kernels.json", "kernels.grouping", "readers.cudf"]
    assert all(section.is_named([]) for section in SECTIONS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_section_names_a_file_and_a_function_of_it(section, repository):
    module, _, function = section.place.partition(":")
    assert (
        f"def {function}(plan: Plan, report: Report)"
        in (repository / "benchmarks" / "gpu" / f"{module}.py").read_text()
    )


def bench(tmp_path, seconds=100.0):
    return Bench(smoke_plan(tmp_path), tmp_path / "rows.json", seconds)


def test_a_section_that_cannot_run_says_why_and_the_others_go_on(tmp_path):
    measured = bench(tmp_path)
    lacking = Section("cudf", "cudf_minhash:run", 5, ("no_such_package",))
    measured.run([lacking, NAMES["machine"]])
    assert measured.rows[0].skipped == "no_such_package is not installed"
    assert {row.section for row in measured.rows} == {"cudf", "machine"}
    assert len(json.loads((tmp_path / "rows.json").read_text())["rows"]) == len(measured.rows)


def test_without_time_a_section_is_skipped(tmp_path):
    measured = bench(tmp_path, seconds=0)
    measured.run([NAMES["machine"]])
    assert measured.rows[0].skipped


def test_a_section_that_takes_too_long_is_ended(tmp_path):
    measured = Bench(Plan(folder=tmp_path), None, 100)
    measured.run([Section("machine", "machine:run", 0.01, ())])
    assert "took more than" in measured.rows[-1].error
    assert measured.failures


def test_a_section_whose_module_fails_is_a_row_and_the_command_ends_with_1(tmp_path, monkeypatch, capsys):
    """There is no cuDF, so the section's import fails, as a broken installation's would."""
    broken = Section("cudf", "cudf_minhash:run", 60, ())
    monkeypatch.setattr("benchmarks.gpu.bench_gpu.SECTIONS", (broken,))
    command = ["bench_gpu", "--smoke", "--folder", str(tmp_path / "work"), "--only", "cudf"]
    monkeypatch.setattr("sys.argv", command)
    assert main() == 1
    shown = capsys.readouterr().out
    assert "| cudf | the rest of it | - |" in shown
    assert "1 failed" in shown
