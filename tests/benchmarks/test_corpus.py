"""The corpus builder makes the same bytes each time, and says in the ids what it made."""

import gzip
import io

import orjson
import pyarrow.parquet as pq
import pytest
import zstandard

from benchmarks.corpus import build
from benchmarks.harvest import Root, harvest
from benchmarks.shards import FORMATS

SIZE = 300_000


@pytest.fixture
def places(tmp_path):
    """Two folders: packages with licences and sources, manual pages in gzip."""
    packages, man = tmp_path / "packages", tmp_path / "man" / "man1"
    for i in range(20):
        folder = packages / f"p{i}.dist-info"
        folder.mkdir(parents=True)
        (folder / "LICENSE").write_text(f"Copyright {2000 + i} somebody\n" + "Permission is granted. " * 40)
        (folder / "module.py").write_text("".join(f"value_{i}_{j} = {i * j}\n" for j in range(100)))
        (folder / "library.so").write_bytes(b"\x7fELF" * 100)
    man.mkdir(parents=True)
    page = (
        '.TH LS 1\n.\\" remark\n.SH NAME\nls \\- list \\fBdirectory\\fR contents\n' + "words and words\n" * 30
    )
    (man / "ls.1.gz").write_bytes(gzip.compress(page.encode()))
    return [Root("packages", packages), Root("man", tmp_path / "man"), Root("doc", tmp_path / "man")]


def records(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    if path.suffix == ".zst":
        raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read()
    return [orjson.loads(line) for line in raw.splitlines()]


def test_the_harvest_names_kinds_and_leaves_markup_and_binaries_out(places):
    found = {document.source: document for document in harvest(places=places)}
    assert found["packages/p3.dist-info/LICENSE"].kind == "licence"
    assert found["packages/p3.dist-info/module.py"].kind == "python"
    assert found["man/man1/ls.1.gz"].text.startswith("NAME\nls - list directory contents\n")
    assert len(found) == 41


def test_the_harvest_of_this_machine_finds_text():
    first = next(harvest())
    assert first.kind in {"doc", "licence", "man", "python"}
    assert len(first.text) >= 200


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_arguments_give_the_same_bytes_and_all_formats_the_same_records(places, tmp_path, format):
    one, two, plain = (
        build(tmp_path / name, SIZE, format=kind, shard_size=100_000, places=places)
        for name, kind in (("one", format), ("two", format), ("plain", "jsonl"))
    )
    assert len(one.files) == 3
    assert [file.read_bytes() for file in one.files] == [file.read_bytes() for file in two.files]
    assert [records(file) for file in one.files] == [records(file) for file in plain.files]
    assert one.nbytes == sum(file.stat().st_size for file in plain.files) >= SIZE


def test_a_single_file_holds_everything(places, tmp_path):
    corpus = build(tmp_path / "out", SIZE, shard_size=1000, single_file=True, places=places)
    assert [file.name for file in corpus.files] == ["part-00000.jsonl"]
    assert len(records(corpus.files[0])) == corpus.documents


def test_ids_are_unique_and_tell_which_documents_are_near_duplicates(places, tmp_path):
    corpus = build(tmp_path / "out", SIZE, near_duplicates=0.5, places=places)
    by_id = {record["id"]: record for record in records(corpus.files[0])}
    assert len(by_id) == corpus.documents
    assert sum(name.startswith("h-") for name in by_id) == corpus.harvested == 41
    near = [name for name in by_id if name.startswith("n-")]
    assert 0.4 < len(near) / (corpus.documents - corpus.harvested) < 0.6
    for name in near:
        _, key, _, rate = name.split("-")
        words, base = by_id[name]["text"].split(), by_id[f"h-{key}"]["text"].split()
        changed = sum(a != b for a, b in zip(words, base, strict=False))
        assert (rate != "0") or changed == 0


def test_the_harvest_alone_may_be_smaller_than_the_size_asked_for(places, tmp_path):
    corpus = build(tmp_path / "out", SIZE, harvest_only=True, places=places)
    assert corpus.documents == corpus.harvested == 41
    assert corpus.nbytes < SIZE


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "keep").touch()
    with pytest.raises(FileExistsError, match="not empty"):
        build(tmp_path, SIZE)


def test_no_text_at_all_is_an_error(tmp_path):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(RuntimeError, match="no text"):
        build(tmp_path / "out", SIZE, places=[Root("doc", tmp_path / "nothing")])
