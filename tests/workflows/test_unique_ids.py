"""Ids that documents bring and that must not come twice: --require-unique-ids."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.removal import TextDuplicatesRemovalWorkflow
from gpucurate.workflows.segments import LineDeduplicationWorkflow
from tests.cli.calling import call
from tests.workflows.tree import digests, report

ASKED = "--require-unique-ids"


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def documents(prefix: str, count: int) -> list[dict[str, Any]]:
    return [{"id": f"{prefix}-{i}", "text": f"text {i} of {prefix}"} for i in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files in ``in/``, in which no id comes twice; some documents have none."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jsonl").write_bytes(lines(*documents("a", 200), {"text": "of no id"}))
    (tmp_path / "in/b.jsonl.gz").write_bytes(gzip.compress(lines(*documents("b", 20), {"text": "nor this"})))
    pq.write_table(pa.table({"text": ["p", "q"], "id": [5, 6]}), tmp_path / "in/c.parquet")
    return tmp_path


def repeat(folder: Path) -> str:
    """Let ids come twice; what is said of the first of them."""
    with (folder / "in/a.jsonl").open("ab") as file:
        file.write(
            b"\n" + lines({"id": "5", "text": "a number in another file"}, {"id": "a-7", "text": "twice"})
        )
    (folder / "in/d.jsonl").write_bytes(lines({"id": "b-3", "text": "of another file"}))
    return (
        "id 'a-7' comes twice: in a.jsonl (line 8) and in a.jsonl (line 204). In all, 3 documents have an id "
        "that an earlier one has"
    )


@pytest.mark.parametrize(
    "options", [[], ["--workers", "2"], ["--blocksize", "1kB", "--workers", "2"]], ids=str
)
@pytest.mark.parametrize("kind", ["exact", "lines"])
def test_an_id_that_comes_twice_is_named_with_both_places_however_the_work_is_divided(
    folder: Path, kind: str, options: list[str]
) -> None:
    said = repeat(folder)
    code, _, err = call("dedup", kind, "in", "-o", "out", ASKED, "-q", *options, cwd=folder)
    assert (code, said in err) == (5, True), err
    assert not (folder / "out/_gpucurate/_SUCCESS").exists()
    assert not list((folder / "out").glob("*.*"))


def test_a_number_and_its_text_are_one_id_and_parquet_is_told_by_rows(folder: Path) -> None:
    (folder / "in/a.jsonl").write_bytes(lines({"id": 1, "text": "one"}, {"id": "6", "text": "two"}))
    code, _, err = call("dedup", "fuzzy", "in", "-o", "out", ASKED, "-q", cwd=folder)
    assert code == 5
    assert "id '6' comes twice: in a.jsonl (line 2) and in c.parquet (row 1). In all, one document has" in err


def test_ids_that_are_unique_change_nothing_of_the_result(folder: Path) -> None:
    assert call("dedup", "exact", "in", "-o", "out", "-q", cwd=folder)[0] == 0
    code, out, _ = call("dedup", "exact", "in", "-o", "asked", ASKED, "-q", cwd=folder)
    assert code == 0
    assert "2 documents have no value in id: they bring no id" in out
    assert digests(folder / "out") == digests(folder / "asked")
    assert not (folder / "asked/_gpucurate/scratch").exists()
    assert call("verify", "asked", cwd=folder)[0] == 0


def test_a_run_that_was_killed_among_its_units_gives_the_same_answer(folder: Path) -> None:
    said = repeat(folder)
    command = ["dedup", "exact", "in", "-o", "out", ASKED, "-q", "--blocksize", "1kB"]
    crash = {"GPUCURATE_CRASH": f"driver.after_commit:5:{folder / 'counter'}"}
    killed = subprocess.run(
        [sys.executable, "-m", "gpucurate", *command], cwd=folder, env={**os.environ, **crash}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert said in call(*command, cwd=folder)[2]
    log = (folder / "out/_gpucurate/commit.log").read_bytes()
    code, _, err = call(*command, cwd=folder)
    assert (code, said in err) == (5, True)
    assert (folder / "out/_gpucurate/commit.log").read_bytes() == log  # nothing was read again


def test_a_run_that_was_not_asked_is_not_taken_for_one_that_was(folder: Path) -> None:
    assert call("dedup", "exact", "in", "-o", "out", "-q", cwd=folder)[0] == 0
    code, _, err = call("dedup", "exact", "in", "-o", "out", ASKED, "-q", cwd=folder)
    assert (code, "holds another run" in err) == (4, True)


def test_the_field_may_lie_below_another_one(tmp_path: Path) -> None:
    records = [{"text": str(i), "meta": {"url": f"u{i % 3}"}, "id": 1} for i in range(4)]
    (tmp_path / "in.jsonl").write_bytes(lines(*records))
    workflow = ExactDeduplicationWorkflow(
        tmp_path / "in.jsonl", tmp_path / "out", require_unique_ids=True, id_field="meta.url"
    )
    with pytest.raises(
        InputError, match=r"meta.url 'u0' comes twice: in in.jsonl \(line 1\) and .* \(line 4\)"
    ):
        workflow.run(InlineExecutor())


def test_a_field_that_no_document_has_is_refused_before_work_starts(folder: Path) -> None:
    code, _, err = call("dedup", "exact", "in", "-o", "out", ASKED, "--id-field", "url", cwd=folder)
    assert (code, "no column 'url'" in err) == (3, True)
    assert not (folder / "out").exists()


def test_removal_by_ids_refuses_ids_that_come_twice(folder: Path) -> None:
    (folder / "ids.jsonl").write_bytes(lines({"id": "a-7"}))
    command = ["dedup", "remove", "in", "--ids", "ids.jsonl", "--id-field", "id", "-q", ASKED]
    assert call(*command, "-o", "out", cwd=folder)[0] == 0
    assert report(folder / "out")["books"]["dropped"] == {"duplicates": 1}
    said = repeat(folder)
    code, _, err = call(*command, "-o", "other", cwd=folder)
    assert (code, said in err) == (5, True)
    assert not (folder / "other/_gpucurate/_SUCCESS").exists()


def test_options_that_would_do_nothing_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="give require_unique_ids"):
        ExactDeduplicationWorkflow("in", "out", id_field="id")
    with pytest.raises(ConfigurationError, match="leave require_unique_ids"):
        TextDuplicatesRemovalWorkflow("in", "ids", "out", id_generator_path="g.json", require_unique_ids=True)


def test_workflows_of_lines_take_the_option_too(folder: Path) -> None:
    workflow = LineDeduplicationWorkflow(folder / "in", folder / "out", require_unique_ids=True)
    assert workflow.run(InlineExecutor()).report.books.read == 224
