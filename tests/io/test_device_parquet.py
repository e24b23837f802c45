"""Parquet read on a device: the rows, records and rejects of the host's reader.

Without a device, pylibcudf is the stand-in of ``tests/emulator/site``.
"""

import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.frame import table as frame
from gpucurate.frame.device_table import text_to_host
from gpucurate.frame.transfers import counted_for, download
from gpucurate.io.parquet import device_reader
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.cuda import CUDA
from gpucurate.spec.errors import InputError
from gpucurate.spec.statistics import StagePerfStats
from tests.io import test_parquet
from tests.io.reading import ReadLimits, read
from tests.io.test_parquet import BROKEN, EMPTY, KINDS, TEXTS, whole_file, write

IDS = list(range(100))


@pytest.fixture
def memory(cuda):
    """Memory of the device, all of which must be given back."""
    pytest.importorskip("pylibcudf")
    opened = GpuMemory(None)
    yield opened
    CUDA.forget_tables()
    opened.close()


def agree(path, memory, unit=1 << 60, **options):
    """Read on both sides; the figures of the device's."""
    chosen = {"keep_original": False, **options}
    stats = StagePerfStats("reader")
    with counted_for(stats):
        found = read(path, unit, gpu=memory, **chosen)
    expected = read(path, unit, **chosen)
    for what in ("rows", "records", "rejects", "num_records", "num_blank", "notes"):
        assert getattr(found, what) == getattr(expected, what), what
    return stats, found


def on_device(outcome):
    return [frame.device_of(piece.table) for piece in outcome.pieces]


def bytes_in_file(path, *names):
    metadata = pq.ParquetFile(path).metadata
    groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
    chunks = [group.column(c) for group in groups for c in range(group.num_columns)]
    return sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema in names)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "none"])
@pytest.mark.parametrize("unit", [100, 1 << 30])
def test_row_groups_go_up_as_they_stand_in_the_file(tmp_path, memory, compression, unit):
    table = pa.table({"id": IDS, "more": TEXTS, "text": TEXTS})
    path = write(tmp_path / "a.parquet", table, compression=compression)
    stats, outcome = agree(path, memory, unit, fields=("text", "id"))
    assert on_device(outcome) == ["cuda"] * 10
    assert stats.host_to_device_bytes == bytes_in_file(path, "text", "id")
    assert outcome.pieces[0].table.columns["id"].values.dtype == np.int64
    assert not stats.departures


def test_the_columns_are_in_the_order_asked_for(tmp_path, memory):
    path = write(tmp_path / "a.parquet", pa.table({"id": IDS, "text": TEXTS}))
    _, outcome = agree(path, memory, fields=("text", "id"))
    assert frame.column_names(outcome.pieces[0].table) == ["text", "id"]


ON_DEVICE = {"string", "large_string", "string_view"}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_text_is_read_as_the_host_reads_it(tmp_path, memory, name):
    column = pa.array(TEXTS).cast(pa.string() if "dict" in name else KINDS[name])
    if "dict" in name:
        column = column.dictionary_encode().cast(KINDS[name])
    path = write(tmp_path / "a.parquet", pa.table({"id": IDS, "text": column}))
    stats, outcome = agree(path, memory, fields=("text", "id"))
    assert set(on_device(outcome)) == {"cuda" if name in ON_DEVICE else "cpu"}
    kind = pq.read_schema(path).field("text").type
    assert dict(stats.departures) == ({} if name in ON_DEVICE else {f"column text of {kind}": 100})


@pytest.mark.parametrize(
    "kind", ["int8", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
)
def test_numbers_with_nulls_are_those_of_the_host(tmp_path, memory, kind):
    values = pa.array([None if i % 7 == 0 else i for i in IDS]).cast(kind)
    path = write(tmp_path / "a.parquet", pa.table({"v": values, "text": TEXTS}))
    _, outcome = agree(path, memory, fields=("v", "text"))
    assert set(on_device(outcome)) == {"cuda"}


def test_flags_and_other_texts_may_be_null(tmp_path, memory):
    flags = [None if i % 5 == 0 else i % 2 == 0 for i in IDS]
    others = [None if i % 3 == 0 else f"ö{i}" for i in IDS]
    path = write(tmp_path / "a.parquet", pa.table({"flag": flags, "other": others, "text": TEXTS}))
    _, outcome = agree(path, memory, fields=("flag", "other", "text"))
    assert set(on_device(outcome)) == {"cuda"}


OTHERS = {
    "list": [[i] for i in IDS],
    "struct": [{"a": i} for i in IDS],
    "date": pa.array(IDS, pa.int32()).cast(pa.date32()),
    "time": pa.array(IDS, pa.timestamp("us")),
    "decimal": pa.array(IDS, pa.int32()).cast(pa.decimal128(12, 2)),
    "null": pa.nulls(100),
    "bytes": pa.array([b"\xff"] * 100),
    "half": pa.array(np.arange(100, dtype=np.float16)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_column_of_another_type_leaves_its_files_to_the_host(tmp_path, memory, name):
    path = write(tmp_path / "a.parquet", pa.table({"x": OTHERS[name], "text": TEXTS}))
    stats, outcome = agree(path, memory, fields=("text", "x"))
    assert set(on_device(outcome)) == {"cpu"}
    assert [(cause[:9], count) for cause, count in stats.departures.items()] == [("column x ", 100)]


def test_a_text_field_of_numbers_rejects_each_row_as_on_the_host(tmp_path, memory):
    _, outcome = agree(write(tmp_path / "a.parquet", pa.table({"text": IDS})), memory)
    assert outcome.reasons[:2] == [("wrong_type", 0), ("wrong_type", 1)]


@pytest.mark.parametrize("fields", [("text", "none"), ("none",)])
def test_a_column_that_is_not_there_is_the_hosts_business(tmp_path, memory, fields):
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS}))
    stats, _ = agree(path, memory, fields=fields, text_fields=fields[:1])
    assert dict(stats.departures) == {"files without a column none": 100}


def test_a_name_with_a_dot_is_left_to_the_host(tmp_path, memory):
    path = write(tmp_path / "a.parquet", pa.table({"a.b": IDS, "text": TEXTS, "a": [{"b": 7}] * 100}))
    _, outcome = agree(path, memory, fields=("text", "a.b"))
    assert outcome.rows[3]["a.b"] == 3
    assert set(on_device(outcome)) == {"cpu"}


def bad(texts, group):
    """Texts of which one of a row group is bad."""
    column = [text.encode() for text in TEXTS]
    for place, text in texts:
        column[10 * group + place] = text
    return pa.array(column, pa.binary()).view(pa.string())


@pytest.mark.parametrize(
    "text, reason, cause",
    [
        (None, "null_text", "nulls in column text"),
        (b"a\xff", "invalid_utf8", "bytes in column text that are no UTF-8"),
        (b"a\xe4\xb8", "invalid_utf8", "bytes in column text that are no UTF-8"),
    ],
)
@pytest.mark.parametrize("unit", [100, 1 << 30])
def test_a_row_group_with_a_bad_text_is_read_again_so_that_the_reject_names_the_row(
    tmp_path, memory, text, reason, cause, unit
):
    path = write(tmp_path / "a.parquet", pa.table({"text": bad([(4, text), (9, text)], 3), "id": IDS}))
    stats, outcome = agree(path, memory, unit, fields=("text", "id"))
    assert outcome.reasons == [(reason, 34), (reason, 39)]
    assert on_device(outcome) == ["cuda"] * 3 + ["cpu"] + ["cuda"] * 6
    assert dict(stats.departures) == {cause: 10}


@pytest.mark.parametrize("make", EMPTY.values(), ids=EMPTY)
def test_a_file_without_rows(tmp_path, memory, make):
    make(tmp_path / "a.parquet")
    agree(tmp_path / "a.parquet", memory)


def test_empty_row_groups_between_others(tmp_path, memory):
    path, schema = tmp_path / "a.parquet", pa.schema({"text": pa.string()})
    with pq.ParquetWriter(path, schema) as writer:
        for texts in ([], ["a", "", "é"], [], [""], []):
            writer.write_table(pa.table({"text": pa.array(texts, pa.string())}), row_group_size=10)
    _, outcome = agree(path, memory)
    assert outcome.texts == ["a", "", "é", ""]
    assert set(on_device(outcome)) == {"cuda"}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_file_without_a_footer_is_one_reject(tmp_path, memory, damage):
    path, content = whole_file(tmp_path)
    path.write_bytes(damage(content))
    _, outcome = agree(path, memory, 100)
    assert outcome.reasons == [("bad_parquet", None)]


def broken_pages(path):
    """A file of which row group 3 cannot be decompressed."""
    texts = [os.urandom(300).hex() for _ in range(100)]
    write(path, pa.table({"text": texts}), compression="zstd", use_dictionary=False)
    chunk = pq.ParquetFile(path).metadata.row_group(3).column(0)
    content = bytearray(path.read_bytes())
    middle = chunk.data_page_offset + chunk.total_compressed_size // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    return path


def test_pages_that_cannot_be_read_are_tried_on_the_host_which_rejects_their_rows(tmp_path, memory):
    path = broken_pages(tmp_path / "a.parquet")
    stats, outcome = agree(path, memory)
    assert outcome.reasons == [("bad_parquet", i) for i in range(30, 40)]
    assert dict(stats.departures) == {"row groups that libcudf does not read": 10}
    assert on_device(outcome).count("cuda") == 9
    with pytest.raises(InputError, match="row 30"):
        read(path, gpu=memory, keep_original=False, limits=ReadLimits(on_corrupt="fail"))


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("use_dictionary", [False, True])
def test_a_page_that_was_changed_is_found_by_its_checksum(tmp_path, memory, version, use_dictionary):
    options = {"write_page_checksum": True, "data_page_version": version, "use_dictionary": use_dictionary}
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS, "id": IDS}), compression="none", **options)
    stats, _ = agree(path, memory, fields=("text", "id"))
    assert not stats.departures
    content = bytearray(path.read_bytes())
    content[content.index(b" 34") + 1] = ord("9")  # which is text as before
    path.write_bytes(content)
    stats, outcome = agree(path, memory, fields=("text", "id"))
    assert outcome.reasons == [("bad_parquet", i) for i in range(30, 40)]
    assert dict(stats.departures) == {"row groups with a page that its checksum does not fit": 10}
    _, outcome = agree(path, memory, fields=("id",), text_fields=())
    assert set(on_device(outcome)) == {"cuda"}


def test_an_unknown_codec_is_named(tmp_path, memory, monkeypatch):
    monkeypatch.setattr(test_parquet, "read", lambda *given: read(*given, gpu=memory, keep_original=False))
    test_parquet.test_an_unknown_codec_is_named(tmp_path)


def test_pieces_are_slices_of_about_the_bytes_asked_for(tmp_path, memory):
    path = write(tmp_path / "a.parquet", pa.table({"text": ["z" * 1000] * 5000}), row_group_size=5000)
    stats, outcome = agree(path, memory, piece_bytes=100_000)
    assert max(frame.nbytes(piece.table) for piece in outcome.pieces) <= 120_000
    assert 50 <= len(outcome.pieces) < 100
    assert set(on_device(outcome)) == {"cuda"}
    assert not stats.departures


@pytest.mark.parametrize(
    "other, cause",
    [
        (lambda table: table.slice(0, 3), "row groups of fewer rows than their footer says"),
        (lambda table: frame.concatenate([table, table]), "row groups of more rows than their footer says"),
        (
            lambda table: table.assign({"id": table.columns["id"].values.astype(np.int32)}),
            "column id of int64",
        ),
        (lambda table: table.assign({"id": table.columns["text"]}), "column id of int64"),
    ],
)
def test_rows_and_types_that_are_not_those_of_the_footer_are_not_believed(
    tmp_path, memory, monkeypatch, other, cause
):
    honest = device_reader.read_row_group
    monkeypatch.setattr(device_reader, "read_row_group", lambda *given: other(honest(*given)))
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS, "id": IDS}))
    stats, outcome = agree(path, memory, fields=("text", "id"))
    assert outcome.texts == TEXTS
    assert set(stats.departures) == {cause}


def test_originals_all_fields_and_none_are_the_hosts_work(tmp_path, memory):
    path = write(tmp_path / "a.parquet", pa.table({"id": IDS, "text": TEXTS}))
    for options in ({"keep_original": True}, {"fields": None}, {"fields": (), "text_fields": ()}):
        _, outcome = agree(path, memory, **options)
        assert set(on_device(outcome)) == {"cpu"}


def test_a_file_in_a_store_is_the_hosts_work(memory):
    import fsspec

    with fsspec.filesystem("memory").open("/parquet/a.parquet", "wb") as file:
        pq.write_table(pa.table({"text": TEXTS}), file)
    stats, outcome = agree("memory://parquet/a.parquet", memory)
    assert outcome.texts == TEXTS
    assert dict(stats.departures) == {"Parquet that is not a local file": 100}


def test_without_pylibcudf_the_host_reads(tmp_path, cuda, monkeypatch):
    monkeypatch.setitem(sys.modules, "pylibcudf", None)
    memory = GpuMemory(None)
    _, outcome = agree(write(tmp_path / "a.parquet", pa.table({"text": TEXTS})), memory)
    assert set(on_device(outcome)) == {"cpu"}
    memory.close()


def test_a_file_that_takes_the_name_of_the_open_one_is_not_read(tmp_path, memory, monkeypatch):
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS}))
    other = write(tmp_path / "b.parquet", pa.table({"text": TEXTS[::-1]}))
    honest = device_reader.read_row_group

    def replaced(*given):
        if other.exists():
            other.rename(path)
        return honest(*given)

    monkeypatch.setattr(device_reader, "read_row_group", replaced)
    assert read(path, gpu=memory, keep_original=False).texts == TEXTS


def test_offsets_of_64_bits_are_read(tmp_path, memory, monkeypatch):
    import pylibcudf.column

    if not hasattr(pylibcudf.column, "MOST_SHORT_OFFSETS"):
        pytest.skip("tests/gpu reads them on a device")
    monkeypatch.setattr(pylibcudf.column, "MOST_SHORT_OFFSETS", 50)
    path = write(tmp_path / "a.parquet", pa.table({"text": TEXTS}))
    _, outcome = agree(path, memory)
    text = text_to_host(outcome.pieces[0].table.columns["text"])
    assert download(text.offsets).dtype == np.int64
    assert set(on_device(outcome)) == {"cuda"}


any_text = st.binary(max_size=6) | st.text(max_size=9).map(str.encode) | st.none()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(max_size=9).map(str.encode), max_size=30),
    strange=st.lists(st.tuples(st.integers(0, 29), any_text), max_size=2),
    group=st.integers(1, 12),
    piece=st.integers(1, 400),
    width=st.sampled_from([pa.string(), pa.large_string()]),
)
def test_any_texts_in_any_row_groups(tmp_path, memory, texts, strange, group, piece, width):
    for place, text in strange:
        texts.insert(place, text)
    binary = pa.large_binary() if width == pa.large_string() else pa.binary()
    table = pa.table({"text": pa.array(texts, binary).view(width), "n": list(range(len(texts)))})
    path = write(tmp_path / "a.parquet", table, row_group_size=group)
    agree(path, memory, 60, fields=("n", "text"), piece_bytes=piece)
