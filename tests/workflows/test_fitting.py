"""Where more is to be compared than fits into memory: it fails with numbers, or goes on with a part."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gpucurate import InlineExecutor
from gpucurate.cli.app import app
from gpucurate.spec.errors import ConfigurationError, InputError, OutputInUseError
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.finished import open_run
from gpucurate.workflows.fitting import Amounts
from gpucurate.workflows.segments import LineDeduplicationWorkflow
from tests.backends.corpus import outputs

FILES, ROWS = 12, 3000
UNIT = 150_000
"""Bytes of a unit: one file, which is more than half as long."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitting") / "in"
    folder.mkdir()
    for i in range(FILES):
        lines = [json.dumps({"id": f"{i}-{j}", "text": f"text {i * j % 7000}"}) for j in range(ROWS)]
        (folder / f"part-{i:02d}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def workflow(pages, output, **options):
    return ExactDeduplicationWorkflow(pages, output, input_blocksize=UNIT, **options)


TIGHT = "500kB"
"""Fits about 15,000 records of 36,000: 16 bytes each, and twice that."""


def test_by_default_it_fails_with_the_numbers_and_names_the_option(pages, tmp_path):
    with pytest.raises(ConfigurationError, match="36,000 records takes 16 bytes each") as raised:
        workflow(pages, tmp_path / "out").run(InlineExecutor(memory=TIGHT))
    assert "--on-infeasible sample" in str(raised.value)


def test_a_sample_is_whole_units_that_fit_and_the_report_says_so(pages, tmp_path):
    result = workflow(pages, tmp_path / "out", on_infeasible="sample").run(InlineExecutor(memory=TIGHT))
    told = result.report.details["sample"]
    assert told["records"] == told["units"] * ROWS
    assert 0 < 32 * told["records"] <= 500_000
    books = result.report.books
    assert books.balance == 0
    assert books.dropped["not sampled"] == (FILES - told["units"]) * ROWS
    assert len(outputs(tmp_path / "out")) == told["units"]
    (sentence,) = [each for each in result.report.warnings if "only a sample" in each]
    assert f"{told['records']:,} of 36,000 records" in sentence
    with pytest.raises(InputError, match=r"the part of its input that fitted"):
        open_run(tmp_path / "out")


def test_the_sample_is_what_a_run_over_these_files_alone_gives(pages, tmp_path):
    workflow(pages, tmp_path / "out", on_infeasible="sample").run(InlineExecutor(memory=TIGHT))
    found = outputs(tmp_path / "out")
    workflow([pages / name for name in sorted(found)], tmp_path / "alone").run(InlineExecutor())
    assert list(found.values()) == list(outputs(tmp_path / "alone").values())


def test_what_fits_is_not_sampled(pages, tmp_path):
    result = workflow(pages, tmp_path / "out", on_infeasible="sample").run(InlineExecutor())
    assert "sample" not in result.report.details
    workflow(pages, tmp_path / "plain").run(InlineExecutor())
    assert outputs(tmp_path / "out") == outputs(tmp_path / "plain")


def test_a_run_that_goes_on_keeps_to_its_sample_whatever_memory_there_is(pages, tmp_path, monkeypatch):
    work = workflow(pages, tmp_path / "out", on_infeasible="sample")
    with monkeypatch.context() as broken:
        broken.setattr(work, "_detect", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            work.run(InlineExecutor(memory=TIGHT))
    result = workflow(pages, tmp_path / "out", on_infeasible="sample").run(InlineExecutor(memory="1GB"))
    workflow(pages, tmp_path / "whole", on_infeasible="sample").run(InlineExecutor(memory=TIGHT))
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")
    assert result.report.books.dropped["not sampled"] > 0
    with pytest.raises(OutputInUseError, match="on_infeasible"):
        workflow(pages, tmp_path / "out").run(InlineExecutor())


def test_where_not_one_unit_fits_there_is_nothing_to_sample(pages, tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"not one unit of 12 fits .* the smallest has 3,000 records"
    ):
        workflow(pages, tmp_path / "out", on_infeasible="sample").run(InlineExecutor(memory="50kB"))


def test_lines_are_sampled_too(pages, tmp_path):
    work = LineDeduplicationWorkflow(
        pages, tmp_path / "out", min_length=1, input_blocksize=UNIT, on_infeasible="sample"
    )
    result = work.run(InlineExecutor(memory=TIGHT))
    told = result.report.details["sample"]
    assert 0 < told["lines"] < told["of_lines"] == FILES * ROWS
    assert result.report.books.balance == 0


def test_the_command_says_so_on_the_terminal(pages, tmp_path):
    given = ["dedup", "exact", str(pages), "--output", str(tmp_path / "out"), "--memory", TIGHT]
    given += ["--blocksize", str(UNIT)]
    done = CliRunner().invoke(app, [*given, "--executor", "inline", "--on-infeasible", "sample"])
    assert done.exit_code == 0, done.output
    assert "only a sample was deduplicated and written" in done.output


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(0, 400))
def test_a_sample_fits_and_takes_no_unit_that_still_fitted(counts, limit):
    def refuse(count):
        if count > limit:
            raise ConfigurationError("too many")

    ids = [f"unit {at}" for at in range(len(counts))]
    chosen = Amounts("records", counts, refuse).sample(ids)
    total = sum(counts[at] for at in chosen)
    assert total <= limit or not chosen
    assert all(total + n > limit for at, n in enumerate(counts) if n and at not in chosen)
    order = sorted(range(len(ids)), reverse=True)
    other = Amounts("records", [counts[at] for at in order], refuse).sample([ids[at] for at in order])
    assert sorted(order[at] for at in other) == chosen, "the order of the listing has no part in it"
