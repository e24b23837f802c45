"""Files of an index: what is selected is what is read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.dedup.cluster_file import FileSpan
from gpucurate.dedup.index import Index, IndexPart, read_index
from gpucurate.dedup.index_digest import check_content
from gpucurate.dedup.index_origins import Origins, count_by_path, read_origins
from gpucurate.dedup.index_piece import select
from gpucurate.dedup.index_sketch import sketch_identity
from gpucurate.dedup.index_writer import IndexWriter
from gpucurate.dedup.key_file import KeyFile, KeyFileWriter, Layout
from gpucurate.dedup.sketch import HashSketch, MinHashSketch
from gpucurate.ops.minhash import MinHashParams
from gpucurate.spec.errors import ConfigurationError, StorageError

PIECES, RECORDS = 6, 50


def unit(path: Path, layout: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A unit of several pieces; every fifth record has no keys. Its keys, lengths, signatures."""
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 2**64, (PIECES * RECORDS, layout.bands), dtype=np.uint64)
    lengths = rng.integers(1, 1000, PIECES * RECORDS).astype(np.uint32)
    shape = PIECES * RECORDS, max(1, layout.signature_values)
    signatures = rng.integers(0, 2**32, shape).astype(layout.signature_dtype)
    writer = KeyFileWriter(path, layout)
    for at in range(0, PIECES * RECORDS, RECORDS):
        ids = np.flatnonzero(np.arange(RECORDS) % 5).astype(np.uint32)
        writer.append(
            RECORDS,
            ids,
            keys[at + ids],
            lengths[at : at + RECORDS],
            signatures=signatures[at + ids] if layout.signature_values else None,
            ranks=np.zeros(RECORDS, np.uint64) if layout.ranks else None,
        )
    writer.close()
    return keys, lengths, signatures


@pytest.mark.parametrize(
    "layout", [Layout(3), Layout(2, ranks=True), Layout(2, 5), Layout(1, 4, signature_bytes=8, ranks=True)]
)
@pytest.mark.parametrize(("a_file", "files_made"), [(1, 2), (10**6, 1)])
def test_wanted_documents_are_taken_over_with_all_that_is_known_of_them(
    layout: Layout, a_file: int, files_made: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpucurate.dedup.index_piece.STEP", 30)
    monkeypatch.setattr("gpucurate.dedup.index_writer.STEP", 40)
    keys, lengths, signatures = unit(tmp_path / "unit", layout)
    (tmp_path / "index").mkdir()
    origins = Origins([FileSpan("a", 0, 0, 120), FileSpan("b", None, 120, 180)])
    with KeyFile(tmp_path / "unit") as file, IndexWriter(tmp_path / "index", a_file) as writer:
        for records, piece in select(file, lambda first, stop: np.arange(first, stop) % 3 == 0):
            writer.add(piece, origins.of(records))
        files = writer.finish()
    wanted = [r for r in range(PIECES * RECORDS) if r % 3 == 0 and r % RECORDS % 5]
    assert len(files) == files_made
    found = np.zeros((0, layout.bands), np.uint64)
    places: list[tuple[str, int | None]] = []
    at = 0
    for entry in files:
        places += [
            (row["path"], row["row"])
            for row in read_origins(tmp_path / "index" / f"{entry.name}.parquet").to_pylist()
        ]
        with KeyFile(tmp_path / "index" / f"{entry.name}.keys") as file:
            assert file.records == file.documents == entry.documents
            assert file.layout == Layout(
                layout.bands,
                layout.signature_values,
                layout.signature_bytes if layout.signature_values else 4,
            )
            for records, piece in select(file, lambda first, stop: np.ones(stop - first, bool)):
                here = wanted[at : at + len(records)]
                found = np.concatenate((found, piece.keys.T))
                assert (piece.lengths == lengths[here]).all()
                if layout.signature_values:
                    assert (piece.signatures == signatures[here]).all()
                at += len(records)
    assert (found == keys[wanted]).all()
    assert places == [("a", r) if r < 120 else ("b", None) for r in wanted]
    assert sorted(p.suffix for p in (tmp_path / "index").iterdir()) == [".keys"] * len(files) + [
        ".parquet"
    ] * len(files)
    counts = count_by_path(tmp_path / "index" / f"{entry.name}.parquet" for entry in files)
    assert counts == [("a", sum(r < 120 for r in wanted)), ("b", sum(r >= 120 for r in wanted))]


def test_the_identity_of_a_sketch_is_what_indexes_on_disk_say() -> None:
    """These names are a format: other ones make every index that was saved useless."""
    sketch = MinHashSketch(MinHashParams(seed=2**64 - 1), normalized=False)
    identity = sketch_identity(sketch)
    params = {"bands": 16, "rows": 8, "shingle": "char", "ngram": 5, "seed": 2**64 - 1}
    assert identity["kind"] == "MinHashSketch"
    assert identity["params"].items() >= {**params, "kind": "MinHashParams"}.items()
    assert identity.items() >= {"normalized": False, "version": sketch.version}.items()
    assert sketch_identity(HashSketch()).items() >= {"kind": "HashSketch", "normalized": False}.items()


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of one document."""
    folder = tmp_path / "index"
    folder.mkdir()
    unit(tmp_path / "unit", Layout(2))
    with KeyFile(tmp_path / "unit") as file, IndexWriter(folder) as writer:
        for records, piece in select(file, lambda first, stop: np.arange(first, stop) == 1):
            writer.add(piece, Origins([FileSpan("a", 0, 0, 300)]).of(records))
        files = tuple(writer.finish())
    made = Index(folder, sketch_identity(HashSketch()), (IndexPart("day1", files),))
    (folder / "index.json").write_bytes(made.to_json())
    assert read_index(folder) == made
    return folder


def test_a_folder_that_is_no_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"is not an index: it has no index\.json"):
        read_index(tmp_path)
    with pytest.raises(ConfigurationError, match="is not an index"):
        read_index(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 1, "sketch": {}}',
        b'{"format": 1, "parts": 5}',
        b'{"format": 1, "sketch": null, "parts": []}',
    ],
)
def test_a_damaged_index_is_refused(index: Path, content: bytes) -> None:
    (index / "index.json").write_bytes(content)
    with pytest.raises(StorageError, match=r"index\.json is damaged"):
        read_index(index)


def test_an_index_of_a_later_format_is_refused(index: Path) -> None:
    text = (index / "index.json").read_text()
    (index / "index.json").write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(ConfigurationError, match="an index of format 2, this version reads format 1"):
        read_index(index)


def test_keys_that_were_cut_short_or_are_gone_are_refused(index: Path) -> None:
    keys = next(index.glob("*.keys"))
    keys.write_bytes(keys.read_bytes()[:-1])
    with pytest.raises(StorageError, match=r"bytes, not .*: the index is damaged"):
        read_index(index)
    keys.unlink()
    with pytest.raises(StorageError, match="No such file"):
        read_index(index)


def test_origins_that_are_damaged_are_refused(index: Path) -> None:
    path = next(index.glob("*.parquet"))
    with pytest.raises(StorageError, match="tells of 1 documents in the columns path, row"):
        read_origins(path, documents=2)
    pq.write_table(pa.table({"path": ["a"]}), path)
    with pytest.raises(StorageError, match="tells of 1 documents in the columns path, which are not"):
        read_origins(path)
    pq.write_table(pa.table({"row": [1]}), path)
    with pytest.raises(StorageError, match="is damaged"):
        read_origins(path)
    path.write_bytes(b"PAR1 no")
    with pytest.raises(StorageError, match="is damaged"):
        read_origins(path)


@pytest.mark.parametrize(
    ("name", "value"), [("documents", 2), ("documents", "1"), ("documents", -1), ("signature_values", 128)]
)
def test_an_index_that_tells_of_other_keys_than_it_has_is_refused(
    name: str, value: object, index: Path
) -> None:
    told = orjson.loads((index / "index.json").read_bytes())
    told["parts"][0]["files"][0][name] = value
    (index / "index.json").write_bytes(orjson.dumps(told))
    with pytest.raises(StorageError, match=r"index\.json tells of: the index is damaged"):
        read_index(index)


def test_the_fingerprint_is_of_the_content_not_of_the_place(index: Path, tmp_path: Path) -> None:
    before = read_index(index).fingerprint
    index.rename(tmp_path / "moved")
    assert read_index(tmp_path / "moved").fingerprint == before


@pytest.mark.parametrize("suffix", [".keys", ".parquet"])
def test_a_flipped_byte_is_found_and_the_file_named(suffix: str, index: Path) -> None:
    check_content(read_index(index))
    (path,) = index.glob(f"*{suffix}")
    content = bytearray(path.read_bytes())
    content[9] ^= 1
    path.write_bytes(content)
    with pytest.raises(StorageError, match=rf"{path.stem}\.keys, or .*\.parquet beside it.*save it again"):
        check_content(read_index(index))


@pytest.mark.parametrize("at", [slice(0, None), slice(4, 40), slice(-40, -10)])
def test_origins_that_cannot_be_read_are_one_sentence(at: slice, index: Path) -> None:
    (path,) = index.glob("*.parquet")
    content = bytearray(path.read_bytes())
    content[at] = b"\xff" * len(content[at])
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"\.parquet is damaged.*: save the index again$") as refused:
        read_origins(path)
    assert "\n" not in str(refused.value)
