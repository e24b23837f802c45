"""Id generators in NeMo Curator's format, and the files that their batches are of."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.io.listing import list_input
from gpucurate.spec.errors import ConfigurationError, InputError, StorageError
from gpucurate.stages.deduplication.id_batches import match_batches
from gpucurate.stages.deduplication.id_generator import CURATOR_DEDUP_ID_STR, IdGeneratorBase
from gpucurate.stages.deduplication.id_list import IdList


def test_batches_get_ranges_one_after_the_other_and_keep_them() -> None:
    ids = IdGeneratorBase()
    assert ids.register_batch(["a.jsonl", "b.jsonl"], 10) == 0
    assert ids.register_batch("c.jsonl", 5) == 10
    assert ids.register_batch(["a.jsonl", "b.jsonl"], 99) == 0
    assert ids.get_batch_range("c.jsonl", None) == (10, 14)
    assert ids.get_batch_range(["c.jsonl"], None) == (10, 14)
    assert ids.get_batch_range(None, ids.hash_files(["a.jsonl", "b.jsonl"])) == (0, 9)
    assert (ids.next_id, CURATOR_DEDUP_ID_STR) == (15, "_curator_dedup_id")


def test_the_key_of_a_batch_is_the_uuid_of_its_paths() -> None:
    key = IdGeneratorBase().hash_files(["/data/a.jsonl", "/data/ü.jsonl"])
    assert key == str(uuid.uuid5(uuid.NAMESPACE_URL, "/data/a.jsonl;/data/ü.jsonl"))
    assert IdGeneratorBase().hash_files("/data/a.jsonl") == "64532fd2-bf04-55ac-a4f0-6f50fb616607"


@pytest.mark.parametrize("given", [(None, None), ("a", "b")])
def test_a_batch_is_asked_for_in_one_way(given: tuple[str | None, str | None]) -> None:
    with pytest.raises(ValueError, match="by its files or by its key"):
        IdGeneratorBase().get_batch_range(*given)
    with pytest.raises(KeyError):
        IdGeneratorBase().get_batch_range("unknown", None)


def test_the_file_is_json_of_two_names(tmp_path: Path) -> None:
    ids = IdGeneratorBase()
    ids.register_batch("a.jsonl", 3)
    ids.to_disk(str(tmp_path / "ids.json"))
    assert json.loads((tmp_path / "ids.json").read_text()) == {
        "next_id": 3,
        "batch_registry": {ids.hash_files("a.jsonl"): [0, 2]},
    }
    again = IdGeneratorBase.from_disk(str(tmp_path / "ids.json"))
    assert again.get_batch_range("a.jsonl", None) == (0, 2)
    assert again.register_batch("b.jsonl", 1) == 3


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"next_id": 1, "batch_registry": 3}',
        '{"next_id": "x"}',
        '{"next_id": 1, "batch_registry": {"a": [1]}}',
    ],
)
def test_another_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "ids.json").write_text(content)
    with pytest.raises(InputError, match="is no file of an id generator"):
        IdGeneratorBase.from_disk(str(tmp_path / "ids.json"))
    with pytest.raises(InputError, match="cannot be read"):
        IdGeneratorBase.from_disk(str(tmp_path / "none.json"))
    with pytest.raises(StorageError, match="cannot write"):
        IdGeneratorBase().to_disk(str(tmp_path / "ids.json" / "x"))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Five files whose order by size is not that by path."""
    for name, size in (("a", 30), ("b", 10), ("c", 20), ("d", 10), ("sub/e", 5)):
        path = tmp_path / "in" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * size)
    return [file.path for file in list_input([tmp_path / "in"]).files]


@pytest.mark.parametrize("groups", [[[0], [1], [2], [3], [4]], [[0, 1, 2], [3, 4]], [[4, 1, 3], [2, 0]]])
def test_batches_are_found_by_path_or_by_size(
    groups: list[list[int]], files: list[str], tmp_path: Path
) -> None:
    ids = IdGeneratorBase()
    for group in reversed(groups):
        ids.register_batch([files[i] for i in group], 10 * len(group))
    batches = match_batches(ids, list_input([tmp_path / "in"]).files)
    found = [[files.index(file.path) for file in batch.files] for batch in batches]
    assert found == groups[::-1]
    assert [batch.count for batch in batches] == [10 * len(group) for group in groups[::-1]]


def test_files_that_the_generator_does_not_know_are_refused(files: list[str], tmp_path: Path) -> None:
    ids = IdGeneratorBase()
    for path in files[:3]:
        ids.register_batch(path, 1)
    with pytest.raises(InputError, match=r"no batch of files that begins with .*d\.jsonl"):
        match_batches(ids, list_input([tmp_path / "in"]).files)


@pytest.mark.parametrize(
    ("columns", "field", "found"),
    [
        (["_curator_dedup_id", "id"], None, "_curator_dedup_id"),
        (["x", "id"], None, "id"),
        (["doc"], None, "doc"),
        (["a", "b"], "b", "b"),
    ],
)
def test_the_column_of_ids_is_found(
    columns: list[str], field: str | None, found: str, tmp_path: Path
) -> None:
    pq.write_table(pa.table({name: [1, 2] for name in columns}), tmp_path / "ids.parquet")
    ids = IdList(tmp_path, field)
    assert ids.field == found
    assert [values.tolist() for values, _ in ids.integers()] == [[1, 2]]


def test_lists_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "ids.parquet")
    with pytest.raises(ConfigurationError, match=r"no column '_curator_dedup_id' or 'id' in ids\.parquet"):
        IdList(tmp_path)
    with pytest.raises(ConfigurationError, match="no column 'c'"):
        IdList(tmp_path, "c")
    with pytest.raises(InputError):
        IdList(tmp_path / "nowhere")
    pq.write_table(pa.table({"id": ["x"]}), tmp_path / "ids.parquet")
    with pytest.raises(InputError, match="ids of an id generator are integers"):
        list(IdList(tmp_path).integers())
    pq.write_table(pa.table({"id": [1, None]}), tmp_path / "ids.parquet")
    with pytest.raises(InputError, match="1 rows have no 'id'"):
        list(IdList(tmp_path).tables())
    (tmp_path / "ids.parquet").write_text("no parquet")
    with pytest.raises(InputError, match="is no list of ids"):
        list(IdList(tmp_path).tables())
