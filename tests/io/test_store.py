"""Files behind fsspec, on its store in memory."""

import gzip
from importlib.util import find_spec

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.io.listing import list_input
from gpucurate.io.ranges import split_file
from gpucurate.spec.errors import ConfigurationError, InputError
from tests.io.reading import read, read_ranges, the_file


@pytest.fixture
def store():
    memory = fsspec.filesystem("memory")
    yield memory
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def test_a_folder_of_a_store_is_listed_and_read(store):
    store.pipe("/corpus/a.jsonl", b'{"text": "a"}\n' * 10)
    store.pipe("/corpus/sub/b.jsonl.gz", gzip.compress(b'{"text": "b"}\n' * 10))
    store.pipe("/corpus/_SUCCESS", b"")
    store.pipe("/corpus/x.csv", b"")
    listing = list_input(["memory://corpus"])
    assert [f.name for f in listing.files] == ["a.jsonl", "sub/b.jsonl.gz"]
    assert len(listing.ignored) == 2
    texts = [read_ranges(split_file(file, 20)).texts for file in listing.files]
    assert texts == [["a"] * 10, ["b"] * 10]


def test_globs_and_single_files_of_a_store_are_listed(store):
    store.pipe("/corpus/a.jsonl", b"{}\n")
    store.pipe("/corpus/sub/b.jsonl", b"{}\n")
    assert [f.name for f in list_input(["memory://corpus/*.jsonl"]).files] == ["a.jsonl"]
    assert [f.name for f in list_input(["memory://corpus/**/*.jsonl"]).files] == ["a.jsonl", "sub/b.jsonl"]
    assert [f.name for f in list_input(["memory://corpus/sub/b.jsonl"]).files] == ["b.jsonl"]


@pytest.mark.parametrize("url", ["memory://nowhere", "memory://nowhere/*.jsonl", "memory://nowhere/a.jsonl"])
def test_what_is_not_in_a_store_is_an_input_error(store, url):
    with pytest.raises(InputError):
        list_input([url])


def test_parquet_of_a_store_is_read(store):
    with store.open("/corpus/a.parquet", "wb") as file:
        pq.write_table(pa.table({"text": [f"t{i}" for i in range(100)]}), file, row_group_size=10)
    assert read("memory://corpus/a.parquet", 100).texts == [f"t{i}" for i in range(100)]


def test_an_object_that_was_replaced_is_noticed(store):
    store.pipe("/corpus/a.jsonl", b'{"text": "a"}\n')
    file = the_file("memory://corpus/a.jsonl")
    store.pipe("/corpus/a.jsonl", b'{"text": "abc"}\n')
    with pytest.raises(InputError, match="changed while it was read"):
        read_ranges(split_file(file, 100))
    store.rm("/corpus/a.jsonl")
    with pytest.raises(InputError, match="vanished"):
        read_ranges(split_file(file, 100))


@pytest.mark.skipif(find_spec("huggingface_hub") is not None, reason="the driver is installed")
def test_a_driver_that_is_missing_is_named():
    with pytest.raises(ConfigurationError, match=r"pip install 'gpucurate\[hf\]'"):
        list_input(["hf://datasets/someone/something"])
