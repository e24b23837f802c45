"""Indexes put together, and documents taken out of them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.dedup.index import Index, read_index
from gpucurate.dedup.index_origins import count_by_path
from gpucurate.spec.errors import ConfigurationError, InputError, OutputInUseError, StorageError
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.index_delete import Unwanted, delete_from_index
from gpucurate.workflows.index_merge import merge_indexes
from gpucurate.workflows.index_rows import read_rows
from gpucurate.workflows.index_store import new_index, only_one
from tests.workflows.tree import lines


def make(tmp_path: Path, name: str, files: dict[str, list[str]], **options: bool) -> Path:
    """An index of texts, by file."""
    for path, texts in files.items():
        place = tmp_path / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    out, index = tmp_path / f"{name}-out", tmp_path / f"{name}.index"
    ExactDeduplicationWorkflow(tmp_path / name, out, save_index=index, **options).run(InlineExecutor())
    return index


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Six documents: of a/1.jsonl rows 0 and 2, of a/2.jsonl 0 and 1, of b/1.jsonl 0 and 3."""
    texts = {"a/1.jsonl": ["a", "a", "b"], "a/2.jsonl": ["c", "d"], "b/1.jsonl": ["e", "a", "b", "f"]}
    return make(tmp_path, "old", texts)


def still_dropped(index: Path, tmp_path: Path) -> str:
    """Of the texts ``a`` to ``h``, those that the index holds."""
    source, out = tmp_path / "probe.jsonl", tmp_path / "probe-out"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in "abcdefgh"))
    shutil.rmtree(out, ignore_errors=True)
    ExactDeduplicationWorkflow(source, out, against=[index]).run(InlineExecutor())
    kept = {json.loads(line)["text"] for line in lines(out)}
    return "".join(text for text in "abcdefgh" if text not in kept)


def test_a_merged_index_holds_what_its_parts_hold(index: Path, tmp_path: Path) -> None:
    second = make(tmp_path, "new", {"c.jsonl": ["g"]})
    merged = merge_indexes([index, second], tmp_path / "all")
    assert merged == read_index(tmp_path / "all")
    assert [(part.name, part.documents) for part in merged.parts] == [("old.index", 6), ("new.index", 1)]
    assert still_dropped(tmp_path / "all", tmp_path) == "abcdefg"
    shutil.rmtree(index)
    assert still_dropped(tmp_path / "all", tmp_path) == "abcdefg"


def test_files_are_copied_where_they_cannot_be_linked(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    merge_indexes([index], tmp_path / "copy")
    assert still_dropped(tmp_path / "copy", tmp_path) == "abcdef"


def test_indexes_of_other_settings_or_one_twice_are_not_merged(index: Path, tmp_path: Path) -> None:
    other = make(tmp_path, "other", {"c.jsonl": ["g"]}, normalize_text=True)
    with pytest.raises(ConfigurationError, match="normalized: true then, false now"):
        merge_indexes([index, other], tmp_path / "all")
    with pytest.raises(ConfigurationError, match="give each index once"):
        merge_indexes([index, index], tmp_path / "all")
    with pytest.raises(ConfigurationError, match="no index is given"):
        merge_indexes([], tmp_path / "all")
    with pytest.raises(OutputInUseError, match="holds something already"):
        merge_indexes([index], tmp_path / "old")
    with pytest.raises(ConfigurationError, match="is not an index"):
        merge_indexes([index, tmp_path / "old"], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_documents_of_files_are_deleted_in_place(index: Path, tmp_path: Path) -> None:
    after, gone = delete_from_index(index, Unwanted(globs=["a/*", "*/9.jsonl"]))
    assert (gone, after.documents) == (4, 2)
    assert after == read_index(index)
    assert still_dropped(index, tmp_path) == "ef"
    assert len(list(index.iterdir())) == 3  # of the earlier state nothing is left
    counts = count_by_path(after.origins_path(file) for file in after.files)
    assert counts == [("b/1.jsonl", 2)]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_single_documents_are_deleted_to_another_folder(suffix: str, index: Path, tmp_path: Path) -> None:
    entries = [("a/1.jsonl", 2), ("a/2.jsonl", 0), ("b/1.jsonl", 2), ("b/1.jsonl", 3), ("z", 0)]
    rows = tmp_path / f"rows{suffix}"
    if suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {"path": [e[0] for e in entries] + ["a/1.jsonl"], "row": [e[1] for e in entries] + [None]}
        pq.write_table(pa.table(columns), rows)
    else:
        rows.write_text("\n".join(json.dumps({"path": path, "row": row}) for path, row in entries) + "\n\n")
    before = read_index(index)
    after, gone = delete_from_index(index, Unwanted(rows=read_rows(rows)), tmp_path / "less")
    assert (gone, after) == (3, read_index(tmp_path / "less"))
    assert still_dropped(tmp_path / "less", tmp_path) == "ade"
    assert read_index(index) == before
    assert still_dropped(index, tmp_path) == "abcdef"


def test_what_loses_no_document_is_not_written_anew(index: Path, tmp_path: Path) -> None:
    merged = merge_indexes([index, make(tmp_path, "new", {"c.jsonl": ["g", "h"]})], tmp_path / "all")
    after, _ = delete_from_index(tmp_path / "all", Unwanted(globs=["c.jsonl"]), tmp_path / "less")
    assert after.files == merged.files[:1]
    assert [part.documents for part in after.parts] == [6, 0]
    inode = (tmp_path / "less" / f"{after.files[0].name}.keys").stat().st_ino
    assert inode == (index / f"{after.files[0].name}.keys").stat().st_ino


def test_everything_can_be_deleted(index: Path, tmp_path: Path) -> None:
    after, gone = delete_from_index(index, Unwanted(globs=["*"]))
    assert (gone, after.documents) == (6, 0)
    assert still_dropped(index, tmp_path) == ""
    with pytest.raises(InputError, match="holds none of these documents"):
        delete_from_index(index, Unwanted(globs=["*"]))


def test_documents_that_are_not_there_are_told(index: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds none of these documents: paths are told as its runs"):
        delete_from_index(index, Unwanted(globs=["/a/*"]), tmp_path / "less")
    assert not (tmp_path / "less").exists()
    assert read_index(index).documents == 6
    with pytest.raises(ConfigurationError, match="nothing is said of which documents"):
        Unwanted()


def test_one_process_at_a_time_changes_an_index(index: Path) -> None:
    with only_one(index), pytest.raises(OutputInUseError, match="being changed by another process"):
        delete_from_index(index, Unwanted(globs=["a/*"]))
    with pytest.raises(StorageError, match="cannot lock"):
        delete_from_index(index / "nowhere", Unwanted(globs=["a/*"]))


KILLED = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from gpucurate.workflows.index_delete import Unwanted, delete_from_index
index, name = sys.argv[1:]
module = import_module("gpucurate.workflows.index_delete")
setattr(module, name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
delete_from_index(Path(index), Unwanted(globs=["a/*"]))
"""


@pytest.mark.parametrize(("name", "documents"), [("put", 6), ("remove_unnamed", 2)])
def test_a_deletion_that_is_killed_has_been_made_or_not(name: str, documents: int, index: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(index), name], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert read_index(index).documents == documents
    delete_from_index(index, Unwanted(globs=["b/*"]))
    assert read_index(index).documents == documents - 2
    names = {path.stem for path in index.iterdir()} - {"index"}
    assert names == {file.name for file in files(read_index(index))}


def files(index: Index) -> list[object]:
    return list(index.files)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"path": "a"}', "line 1 of .* names no document"),
        (b'{"path": "a", "row": 1}\n{"path": "a", "row": "2"}', "line 2 of .* row='2'"),
        (b'{"path": 5, "row": 1}', "path=5"),
        (b'{"path": "a", "row": true}', "row=True"),
        (b'{"path": "a", "row": -1}', "row=-1"),  # which is what an unknown row is held for
        (b'{"path": "a", "row": 18446744073709551615}', "row=18446744073709551615"),
        (b"[]", "line 1 of .* names no document"),
        (b"path,row", "line 1 of .* names no document"),
    ],
)
def test_lists_that_name_no_documents_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_rows(tmp_path / "rows.jsonl")


@pytest.mark.parametrize("row", ["3", 3.5, -1])
def test_rows_of_another_type_in_parquet_are_refused_and_not_converted(row: object, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"path": ["a"], "row": [row]}), tmp_path / "rows.parquet")
    with pytest.raises(InputError, match=f"a row of .*rows.parquet names no document .*row={row!r}"):
        read_rows(tmp_path / "rows.parquet")


def test_parquet_of_other_columns_is_no_list(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"path": ["a"]}), tmp_path / "rows.parquet")
    for name in ("rows.parquet", "nowhere.parquet"):
        with pytest.raises(InputError, match="give Parquet with the columns path and row"):
            read_rows(tmp_path / name)
    with pytest.raises(InputError, match="No such file"):
        read_rows(tmp_path / "nowhere.jsonl")


def test_one_run_at_a_time_makes_an_index(tmp_path: Path) -> None:
    (tmp_path / ".new.tmp").mkdir()
    (tmp_path / ".new.tmp" / "left.keys").write_text("of a run that was killed")
    with new_index(tmp_path / "new") as making:
        assert not list(making.iterdir())
        (making / "mine").write_text("")
        with (
            pytest.raises(OutputInUseError, match="is being made by another run"),
            new_index(tmp_path / "new"),
        ):
            pass
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine"]
    assert not (tmp_path / ".new.tmp").exists()


def test_a_list_that_cannot_be_decoded_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1" + b"\xff" * 40 + (20).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(InputError, match="give Parquet with the columns path and row") as refused:
        read_rows(path)
    assert "\n" not in str(refused.value)
