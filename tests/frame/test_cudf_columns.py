"""Columns of cuDF as buffers and back: on a device, or (without one) over the stand-in of pylibcudf."""

import numpy as np
import pyarrow as pa
import pytest

from gpucurate.frame import cudf_columns
from gpucurate.frame import table as frame
from gpucurate.frame.cudf_columns import buffers_of, frame_of, table_of
from gpucurate.frame.device_table import DeviceTable, DeviceValues, to_host
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import counted_for, download, upload
from gpucurate.spec.statistics import StagePerfStats

TEXTS = ["", "a", None, "Ünïcödé", "x" * 3000, "", None, "漢字", None, "last"]
KINDS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
KINDS += ["bool"]


@pytest.fixture
def plc(cuda):
    pytest.importorskip("cudf", reason="cuDF is not installed")
    return pytest.importorskip("pylibcudf")


@pytest.fixture
def moved():
    """What crosses between host and device in a test."""
    stats = StagePerfStats("test")
    with counted_for(stats):
        yield stats


def address(array):
    return array.__cuda_array_interface__["data"][0]


def text_of(table, name="text"):
    return download(table.columns[name].offsets), to_host(table.columns[name]).to_pylist()


def there_and_back(columns, rows):
    return table_of(frame_of(DeviceTable(columns, rows)))


@pytest.mark.parametrize("texts", [TEXTS, ["a", "b"], [None, None, None], ["", ""], []], ids=str)
def test_text_goes_to_cudf_and_comes_back(plc, texts):
    table = frame.to_device_table(pa.table({"text": pa.array(texts, pa.string())}))
    back = table_of(frame_of(table))
    assert text_of(back)[1] == texts
    assert frame_of(table)["text"].to_arrow().to_pylist() == texts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nulls", [False, True])
def test_values_go_to_cudf_and_come_back(plc, kind, nulls):
    values = [True, False, True, True] if kind == "bool" else [0, 1, 100, 7]
    given = pa.array([*values, None, values[0]] if nulls else values, pa.from_numpy_dtype(np.dtype(kind)))
    back = table_of(frame_of(frame.to_device_table(pa.table({"v": given}))))
    assert back.columns["v"].values.dtype == np.dtype(kind)
    assert (back.columns["v"].valid is not None) is nulls
    assert to_host(back.columns["v"]).equals(given)


@pytest.mark.parametrize("short", [2**31 - 1, 100])
def test_text_is_not_copied_whatever_the_width_of_its_offsets(plc, moved, monkeypatch, short):
    monkeypatch.setattr(cudf_columns, "MOST_SHORT_OFFSETS", short)
    data = upload(np.frombuffer(b"0123456789" * 20, np.uint8))
    text = TextBuffers(data, upload(np.array([5, 25, 25, 180], np.int64)))
    moved.host_to_device_bytes = 0
    column = frame_of(DeviceTable({"text": text}, 3))["text"].to_pylibcudf()[0]
    assert column.child(0).type().id().name == ("INT32" if short > 200 else "INT64")
    assert column.data().ptr == address(data) + 5
    back = buffers_of(column)
    assert address(back.data) == address(data) + 5
    assert back.offsets.dtype == np.int64
    assert (moved.host_to_device_bytes, moved.device_to_host_bytes) == (0, 0)
    assert download(back.offsets).tolist() == [0, 20, 20, 175]
    assert not moved.departures


def test_values_are_not_copied_and_nothing_crosses(plc, moved):
    values = DeviceValues(upload(np.arange(100)))
    moved.host_to_device_bytes = 0
    back = there_and_back({"v": values}, 100)
    assert address(back.columns["v"].values) == address(values.values)
    assert (moved.host_to_device_bytes, moved.device_to_host_bytes) == (0, 0)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 65, 511, 512, 513])
def test_masks_of_any_length_are_padded_to_64_bytes(plc, count):
    valid = np.arange(count) % 3 != 1
    column = there_and_back({"v": DeviceValues(upload(np.arange(count)), upload(valid))}, count).columns["v"]
    assert column.valid is None if valid.all() else download(column.valid).tolist() == valid.tolist()
    raw = frame_of(DeviceTable({"v": DeviceValues(upload(np.arange(count)), upload(valid))}, count))
    mask = raw["v"].to_pylibcudf()[0].null_mask()
    assert mask is None or mask.size % 64 == 0


def sliced(plc, column, first, stop, *, shown=None):
    """Rows of a column over the same memory, as libcudf slices; of the mask, so many bytes are ``shown``."""
    nulls = sum(value is None for value in column.to_arrow().to_pylist()[first:stop])
    data, mask = column.data(), column.null_mask()
    if shown is not None and mask is not None:
        mask = plc.gpumemoryview(frame_arrays().asarray(mask)[:shown])
    return plc.Column(column.type(), stop - first, data, mask, nulls, first, column.children())


def frame_arrays():
    import cupy

    return cupy


@pytest.mark.parametrize("rows", [(0, 10), (1, 9), (2, 3), (3, 8), (7, 10), (9, 10), (4, 4)])
def test_slices_begin_at_any_row(plc, rows):
    first, stop = rows
    text = plc.Column.from_arrow(pa.array(TEXTS, pa.string()))
    numbers = plc.Column.from_arrow(pa.array([1, None, 3, 4, None, 6, 7, 8, None, 10], pa.int16()))
    flags = plc.Column.from_arrow(pa.array([True, None, False, True, None, True, True, False, None, False]))
    assert to_host(buffers_of(sliced(plc, text, first, stop))).to_pylist() == TEXTS[first:stop]
    for column in (numbers, flags):
        expected = column.to_arrow().to_pylist()[first:stop]
        assert to_host(buffers_of(sliced(plc, column, first, stop))).to_pylist() == expected


def test_a_slice_whose_mask_is_shown_in_part_is_copied_before_it_is_read(plc):
    texts = [None if row % 5 == 0 else str(row) for row in range(1000)]
    for kind in (pa.string(), pa.int32()):
        column = plc.Column.from_arrow(pa.array(texts).cast(kind))
        expected = column.to_arrow().to_pylist()[900:990]
        part = sliced(plc, column, 900, 990, shown=64)
        assert to_host(buffers_of(part)).to_pylist() == expected


def test_a_slice_of_text_is_not_copied(plc):
    column = plc.Column.from_arrow(pa.array(["abc", "de", "fghi", "j"]))
    text = buffers_of(sliced(plc, column, 1, 3))
    assert address(text.data) == column.data().ptr
    assert download(text.offsets).tolist() == [3, 5, 9]


def test_text_under_a_null_is_left_out(plc):
    cupy = frame_arrays()
    column = plc.Column.from_arrow(pa.array(["abc", "de", "fghi"]))
    mask = np.zeros(64, np.uint8)
    mask[0] = 0b101
    hidden = column.with_mask(plc.gpumemoryview(cupy.asarray(mask)), 1)
    text = buffers_of(hidden)
    assert to_host(text).to_pylist() == ["abc", None, "fghi"]
    assert download(text.offsets).tolist() == [0, 3, 3, 7]


def test_offsets_of_64_bits_are_read(plc):
    cupy = frame_arrays()
    offsets = plc.Column.from_cuda_array_interface(cupy.asarray(np.array([0, 3, 5], np.int64)))
    data = plc.gpumemoryview(cupy.asarray(np.frombuffer(b"abcde", np.uint8)))
    column = plc.Column(plc.DataType(plc.TypeId.STRING), 2, data, None, 0, 0, [offsets])
    assert to_host(buffers_of(column)).to_pylist() == ["abc", "de"]


def test_a_column_without_buffers_comes_to_the_host_and_is_named(plc, moved):
    tags = pa.array([["a"], [], None])
    table = frame.to_device_table(pa.table({"tags": tags}))
    assert moved.host_to_device_bytes == 0
    cudf_frame = frame_of(table)
    assert moved.host_to_device_bytes == tags.nbytes
    assert to_host(table_of(cudf_frame).columns["tags"]).to_pylist() == [["a"], [], None]
    assert moved.device_to_host_bytes >= tags.nbytes
    assert moved.departures["columns of LIST come to the host"] == 3


def test_the_verbs_of_frames_hold_for_cudf(plc):
    cudf_frame = frame_of(frame.to_device_table(pa.table({"text": TEXTS, "n": list(range(10))})))
    mask = np.arange(10) % 2 == 0
    assert frame.device_of(cudf_frame) == "cuda"
    assert frame.column_names(cudf_frame) == ["text", "n"]
    assert frame.to_arrow(frame.take_mask(cudf_frame, mask))["text"].to_pylist() == TEXTS[::2]
    joined = frame.concatenate([cudf_frame, cudf_frame])
    assert frame.to_arrow(joined)["n"].to_pylist() == [*range(10), *range(10)]
    assert frame.num_rows(frame.with_columns(cudf_frame, {"m": mask})) == 10
    assert frame.nbytes(cudf_frame) > 3000
    assert frame.text_of(cudf_frame, "text").nbytes == len("".join(t or "" for t in TEXTS).encode())
    assert frame.to_pandas(cudf_frame)["n"].sum() == 45


def test_a_mask_of_cudf_is_one_and_needs_no_nulls(plc):
    table = frame.to_device_table(pa.table({"text": TEXTS, "n": list(range(10))}))
    cudf_frame = frame_of(table)
    mask = cudf_frame["n"] > 6
    assert frame.as_mask(mask, 10).tolist() == [n > 6 for n in range(10)]
    assert frame.to_arrow(frame.take_mask(table, frame.device_mask(mask)))["n"].to_pylist() == [7, 8, 9]
    with pytest.raises(TypeError, match="with 3 nulls"):
        frame.as_mask(cudf_frame["text"].str.len() > 3, 10)
    with pytest.raises(TypeError, match="mask of int64"):
        frame.as_mask(cudf_frame["n"], 10)


def test_a_series_of_cudf_is_a_column_of_a_table_of_the_device(plc, moved):
    table = frame.to_device_table(pa.table({"text": ["a", "bcd", None]}))
    moved.host_to_device_bytes = 0
    more = frame.with_columns(
        table, {"length": frame_of(table)["text"].str.len(), "again": frame_of(table)["text"]}
    )
    assert (moved.host_to_device_bytes, moved.device_to_host_bytes) == (0, 0)
    assert frame.to_arrow(more).to_pydict() == {
        "text": ["a", "bcd", None],
        "length": [1, 3, None],
        "again": ["a", "bcd", None],
    }


@pytest.mark.parametrize("rows", [slice(1, 9), slice(3, 4), slice(7, 10), slice(5, 5)])
def test_rows_of_a_frame_are_a_slice_of_its_memory(plc, rows):
    values = pa.array([1, None, 3, 4, None, 6, 7, 8, None, 10], pa.int16())
    table = pa.table({"text": pa.array(TEXTS), "v": values})
    part = frame_of(frame.to_device_table(table)).iloc[rows]
    expected = table.slice(rows.start, rows.stop - rows.start)
    assert frame.to_arrow(part).to_pydict() == expected.to_pydict()
