"""The way of NeMo Curator's guide: names of files in two folders, compared."""

from __future__ import annotations

import os
import re
from pathlib import Path

import fsspec
import pytest

from gpucurate import InlineExecutor, Pipeline
from gpucurate.spec.errors import InputError
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.utils.file_utils import filter_files_by_extension, get_all_file_paths_under
from tests.backends.corpus import outputs
from tests.stages.shapes.rows import keep, write_rows


@pytest.fixture
def folder(tmp_path):
    for name in ("b.jsonl", "a.JSONL", "a.jsonl.gz", "a.parquet", "deep/er/c.json", "deep/x.jsonl.tmp"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def test_files_come_sorted_and_below_the_path_as_it_was_given(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert get_all_file_paths_under("in") == ["in/a.JSONL", "in/a.jsonl.gz", "in/a.parquet", "in/b.jsonl"]
    assert get_all_file_paths_under("in/", recurse_subdirectories=True)[4:] == [
        "in/deep/er/c.json",
        "in/deep/x.jsonl.tmp",
    ]
    assert get_all_file_paths_under(Path("in") / "b.jsonl") == ["in/b.jsonl"]
    assert get_all_file_paths_under(f"file://{folder}/b.jsonl") == [f"{folder}/b.jsonl"]
    assert get_all_file_paths_under("nowhere") == []


@pytest.mark.parametrize(
    ("extensions", "wanted"),
    [
        ("jsonl", ["a.JSONL", "a.jsonl.gz", "b.jsonl"]),
        ([".parquet", "json"], ["a.parquet", "c.json"]),
        ("l", []),
        ([], []),
    ],
)
def test_extensions_are_whole_and_in_any_case(folder, extensions, wanted):
    found = get_all_file_paths_under(folder, True, extensions)
    assert [Path(path).name for path in found] == wanted
    assert filter_files_by_extension(["x.jsonl", "xjsonl"], "jsonl") == ["x.jsonl"]


def test_a_store_gives_urls():
    store = fsspec.filesystem("memory")
    for name in ("a.jsonl", "b/c.jsonl", "_gpucurate/report.json"):
        store.pipe(f"/compared/{name}", b"")
    url = "memory://compared"
    assert get_all_file_paths_under(url) == ["memory:///compared/a.jsonl"]
    assert len(get_all_file_paths_under(url, recurse_subdirectories=True)) == 2
    store.rm("/compared", recursive=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o000)
    with pytest.raises(InputError, match=r"locked cannot be listed: Permission denied"):
        get_all_file_paths_under(tmp_path, recurse_subdirectories=True)


def run(corpus, output, **options):
    """As the guide has it: list both sides, and run if there is less on the right."""
    before = get_all_file_paths_under(corpus, recurse_subdirectories=True, keep_extensions=["jsonl"])
    after = get_all_file_paths_under(output, recurse_subdirectories=True, keep_extensions=["jsonl"])
    if len(after) >= len(before):
        return None
    stages = [JsonlReader(before, **options), keep("even", lambda n: n % 2 == 0), JsonlWriter(str(output))]
    return Pipeline("resumable", stages=stages).run(InlineExecutor()).report


def test_the_second_run_reads_nothing(tmp_path):
    corpus, output = write_rows(tmp_path / "in" / "en", "jsonl").parent, tmp_path / "out"
    first = run(corpus, output, files_per_partition=1)
    assert (first.books.read, first.phases[0].resumed_units) == (100, 0)
    wanted = outputs(output)
    assert run(corpus, output, files_per_partition=1) is None

    (output / "part-2.jsonl").unlink()  # as if it had not been written
    again = run(corpus, output, files_per_partition=1)
    assert (again.phases[0].units, again.phases[0].resumed_units) == (4, 3)
    assert outputs(output) == wanted


def test_names_in_the_output_tell_the_file_and_the_range_that_they_came_from(tmp_path):
    corpus = write_rows(tmp_path / "in", "jsonl", files=2, rows=200)
    write_rows(tmp_path / "more", "jsonl", files=1, rows=2)
    (tmp_path / "more" / "part-0.jsonl").rename(corpus / "small.jsonl")
    stages = [JsonlReader(corpus, blocksize=4000), JsonlWriter(tmp_path / "out")]
    Pipeline("ranges", stages=stages).run(InlineExecutor())
    names = [Path(path).name for path in get_all_file_paths_under(tmp_path / "out")]
    assert "small.jsonl" in names, "read whole, it keeps its name"
    assert "part-0.00000.jsonl" in names
    sources = {re.sub(r"\.\d{5}(?=\.jsonl$)", "", name) for name in names}
    assert sources == {Path(path).name for path in get_all_file_paths_under(corpus)}
    assert len(names) > len(sources)
