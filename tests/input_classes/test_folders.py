"""Classes of what lies in a folder: links, names, kinds of files, permissions, changes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.spec.errors import InputError
from gpucurate.spec.names import decode_name
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from tests.input_classes.corpus import DOCUMENTS, Command, contents, dedup, rejects, report, write_good
from tests.input_classes.declared import lines, parquet, texts


def test_28_equal_ids_in_several_files_are_documents_of_their_own(folder: Path, command: Command) -> None:
    for name in ("d.jsonl", "e.jsonl"):
        (folder / "in" / name).write_bytes(lines({"id": 7, "text": f"of {name}"}))
    ended = command()
    assert (ended.code, ended.books["kept"]) == (0, DOCUMENTS + 2)


def test_28_equal_ids_end_the_run_where_ids_must_be_unique(folder: Path, command: Command) -> None:
    for name in ("0.jsonl", "e.jsonl"):
        (folder / "in" / name).write_bytes(lines({"id": 7, "text": f"of {name}"}))
    ended = command("--require-unique-ids", "--id-field", "id")
    assert (ended.code, ended.is_finished) == (5, False)
    assert "id '7' comes twice: in 0.jsonl (line 1) and in e.jsonl (line 1)" in ended.said


def test_29_documents_without_ids_have_the_same_ones_in_each_run(folder: Path) -> None:
    (folder / "in" / "late.jsonl").write_bytes(texts("good", 4) + lines({"id": 5, "text": "good 0"}))
    found = []
    for output in (folder / "one", folder / "two"):
        assert dedup(folder / "in", "-o", output) == 0
        found.append((output / "_gpucurate/clusters/part-00000.parquet").read_bytes())
    assert found[0] == found[1]


def test_36_columns_that_differ_between_files_stay_with_their_files(folder: Path, command: Command) -> None:
    (folder / "in" / "d.jsonl").write_bytes(lines({"y": 1, "text": "more"}, {"text": "less"}))
    (folder / "in" / "e.parquet").write_bytes(parquet({"z": [1.5], "text": ["of Parquet"]}))
    ended = command("--format", "jsonl")
    assert (ended.code, ended.books["kept"]) == (0, DOCUMENTS + 3)
    assert (ended.output / "d.jsonl").read_bytes() == b'{"y":1,"text":"more"}\n{"y":null,"text":"less"}\n'
    assert (ended.output / "e.jsonl").read_bytes() == b'{"z":1.5,"text":"of Parquet"}\n'


def test_37_a_column_of_strings_here_and_objects_there_is_converted_file_by_file(
    folder: Path, command: Command
) -> None:
    (folder / "in" / "d.jsonl").write_bytes(lines({"text": "one", "x": "s"}))
    (folder / "in" / "e.jsonl").write_bytes(lines({"text": "two", "x": {"a": 1}}))
    (folder / "in" / "f.jsonl").write_bytes(
        lines({"text": "three", "x": {"a": 1}}, {"text": "four", "x": "s"})
    )
    ended = command("--format", "jsonl")
    assert ended.code == 0
    assert (ended.output / "d.jsonl").read_bytes() == b'{"text":"one","x":"s"}\n'
    assert (ended.output / "e.jsonl").read_bytes() == b'{"text":"two","x":{"a":1}}\n'


@pytest.mark.parametrize("name", ["0.jsonl", "late.jsonl"], ids=["in the first file", "later"])
def test_38_fields_that_annotations_add_are_refused_where_they_are_there_already(
    folder: Path, name: str, command: Command
) -> None:
    (folder / "in" / name).write_bytes(lines({"text": "taken", "_gpucurate_cluster": 1}))
    ended = command("--annotate")
    assert ended.code == 3
    assert "_gpucurate_cluster" in ended.said
    assert not ended.is_finished


def test_46_files_of_other_kinds_are_ignored_with_a_line(folder: Path, command: Command) -> None:
    others = ["a.arrow", "b.feather", "c.csv", "d.txt", "e.warc.gz", "f.json"]
    for name in others:
        (folder / "in" / name).write_bytes(texts("other", 1))
    ended = command()
    assert (ended.code, ended.books["read"]) == (0, DOCUMENTS)
    assert [os.path.basename(path) for path, _ in ended.report["ignored"]] == others
    assert "a.arrow: not a name of JSON lines or Parquet" in ended.said
    assert "3 more; all are in report.json" in ended.said


def test_47_a_folder_of_error_pages_exits_7(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"<!DOCTYPE html>\n<p>502\n")
    (tmp_path / "b.jsonl").write_bytes(b"id,text\n1,a\n")
    assert dedup(tmp_path / "*.jsonl", "-o", tmp_path / "out") == 7
    assert report(tmp_path / "out")["books"]["rejected"] == {"bad_json": 4}


class TestLinks:
    def test_50_to_a_file_and_to_a_parent_are_followed_once(self, folder: Path, command: Command) -> None:
        (folder / "in" / "link.jsonl").symlink_to(folder / "in" / "a.jsonl")
        (folder / "in" / "b" / "up").symlink_to(folder / "in")
        ended = command()
        assert (ended.code, ended.books["read"]) == (0, DOCUMENTS + 4)
        assert ended.books["dropped"] == {"duplicates": 4}
        assert "up: a folder that is read by another name" in ended.said
        assert "one file by two names" in ended.said

    def test_50_to_nothing_is_a_missing_file(self, folder: Path, command: Command) -> None:
        (folder / "in" / "link.jsonl").symlink_to(folder / "in" / "gone")
        ended = command()
        assert ended.code == 5
        assert "link.jsonl is a link to nothing" in ended.said

    @pytest.mark.parametrize("target", ["outside", "outside/x.jsonl"], ids=["folder", "file"])
    @pytest.mark.parametrize("given", ["in", "in/*"], ids=["in a folder", "by a glob"])
    def test_50_out_of_the_root_is_refused_unless_it_is_asked_for(
        self, folder: Path, target: str, given: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "outside").mkdir()
        (folder / "outside" / "x.jsonl").write_bytes(texts("outside", 2))
        (folder / "in" / "link.jsonl").symlink_to(folder / target)
        assert dedup(folder / given, "-o", folder / "out") == 5
        assert "link.jsonl is a link out of" in capsys.readouterr().err
        assert not (folder / "out").exists()
        assert dedup(folder / given, "-o", folder / "out", "--follow-external") == 0
        assert report(folder / "out")["books"]["read"] == DOCUMENTS + 2

    def test_50_that_is_itself_what_was_given_is_no_way_out(self, folder: Path) -> None:
        (folder / "link").symlink_to(folder / "in")
        assert dedup(folder / "link", "-o", folder / "out") == 0
        assert report(folder / "out")["books"]["read"] == DOCUMENTS


def test_51_one_file_by_two_names_is_read_by_both_with_a_warning(folder: Path, command: Command) -> None:
    os.link(folder / "in" / "a.jsonl", folder / "in" / "again.jsonl")
    ended = command()
    assert (ended.code, ended.books["read"], ended.books["kept"]) == (0, DOCUMENTS + 4, DOCUMENTS)
    assert "one file by two names" in ended.said


def test_52_hidden_and_temporary_files_are_ignored_and_listed(folder: Path, command: Command) -> None:
    names = [".DS_Store", "._a.jsonl", ".hidden.jsonl", "_SUCCESS", "_temporary/0.jsonl", "a.jsonl.crc"]
    names += ["b.jsonl.tmp", "c.parquet.part"]
    for name in names:
        (folder / "in" / name).parent.mkdir(exist_ok=True)
        (folder / "in" / name).write_bytes(texts("hidden", 1))
    ended = command()
    assert (ended.code, ended.books["read"]) == (0, DOCUMENTS)
    assert {os.path.relpath(path, folder / "in") for path, _ in ended.report["ignored"]} == {
        name.split("/")[0] for name in names
    }


NAMES = [b"with space", b"new\nline", b"\"quo'te", b"100%25", b"a#b?c", b"-rf", b"\xff\xfe", b"x" * 249]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_53_files_of_any_name_keep_it(tmp_path: Path, name: bytes) -> None:
    source = tmp_path / "in" / os.fsdecode(name) / (os.fsdecode(name) + ".jsonl")
    source.parent.mkdir(parents=True)
    source.write_bytes(lines({"text": "a"}, {"text": "a"}, b"{broken"))
    output = tmp_path / os.fsdecode(name)
    assert dedup(tmp_path / "in", "-o", output, "--max-reject-rate", "1") == 0
    assert (output / source.relative_to(tmp_path / "in")).read_bytes() == lines({"text": "a"})
    (reject,) = rejects(output)
    assert decode_name(reject["path"]) == str(source.relative_to(tmp_path / "in"))
    manifest = json.loads((output / "_gpucurate/manifest.json").read_text(encoding="ascii"))
    assert [decode_name(f["name"]) for f in manifest["files"]] == [str(source.relative_to(tmp_path / "in"))]


@pytest.mark.parametrize("name", ["../escaped", "/etc/passwd", "a/../../b"])
def test_54_a_manifest_that_names_files_outside_the_output_is_refused(
    folder: Path, name: str, command: Command
) -> None:
    assert command().code == 0
    manifest = folder / "out/_gpucurate/manifest.json"
    entries = json.loads(manifest.read_text())
    entries["files"][0]["name"] = name
    manifest.write_text(json.dumps(entries))
    (folder / "out/_gpucurate/_SUCCESS").write_bytes(b"")  # as of versions that list nothing in it
    ended = command()
    assert ended.code == 6
    assert "points outside" in ended.said


def test_54_a_manifest_of_another_size_is_written_again(folder: Path, command: Command) -> None:
    assert command().code == 0
    manifest = folder / "out/_gpucurate/manifest.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole.replace(b'"name": "', b'"name": "../'))
    assert command().code == 0
    assert manifest.read_bytes() == whole


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize("what", ["b", "a.jsonl"], ids=["folder", "file"])
def test_55_what_may_not_be_read_is_named_before_work_starts(
    what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:  # which others may enter, unlike those of pytest
        os.chmod(name, 0o777)
        source = write_good(Path(name) / "in")
        (source / what).chmod(0)
        with without_privileges():
            assert dedup(source, "-o", Path(name) / "out") == 5
        (source / what).chmod(0o755)
        assert f"{what} cannot be " in capsys.readouterr().err
        assert not (Path(name) / "out").exists()


CHANGES = {
    "vanishes": (lambda path: path.unlink(), "vanished after it was listed"),
    "grows": (lambda path: path.write_bytes(path.read_bytes() + texts("more", 1)), "it was listed with"),
    "shrinks": (lambda path: path.write_bytes(b"{}\n"), "it was listed with"),
    "is rewritten": (
        lambda path: os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000_000)),
        "it was written to since it was listed",
    ),
    "becomes a FIFO": (lambda path: (path.unlink(), os.mkfifo(path)), "not a regular file any more"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_56_a_file_that_changes_after_it_was_listed_fails_alone(folder: Path, change: str) -> None:
    late = folder / "in" / "late.jsonl"
    late.write_bytes(texts("late", 5))
    alter, why = CHANGES[change]
    workflow = ExactDeduplicationWorkflow(folder / "in", folder / "out", input_blocksize=150)
    workflow.survey()
    alter(late)
    with pytest.raises(InputError, match=why):
        workflow.run(InlineExecutor())
    late.unlink(missing_ok=True)
    ExactDeduplicationWorkflow(folder / "in", folder / "calm", input_blocksize=150).run(InlineExecutor())
    assert contents(folder / "out") == contents(folder / "calm")


def test_57_what_is_no_regular_file_is_ignored_and_never_opened(folder: Path, command: Command) -> None:
    (folder / "in" / "folder.jsonl").mkdir()
    os.mkfifo(folder / "in" / "fifo.jsonl")
    (folder / "in" / "null.jsonl").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "in" / "s.jsonl"))
        ended = command("--follow-external")
    assert (ended.code, ended.books["read"]) == (0, DOCUMENTS)
    reasons = {os.path.basename(path): reason for path, reason in ended.report["ignored"]}
    assert {name: reason.split(",")[0] for name, reason in reasons.items()} == {
        "fifo.jsonl": "a FIFO",
        "null.jsonl": "a device",
        "s.jsonl": "a socket",
    }
