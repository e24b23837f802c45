"""Tables of a device, on the emulated one or (--device cuda) a real one."""

import numpy as np
import pyarrow as pa
import pytest

from gpucurate.frame import table as frame
from gpucurate.frame.device_gather import STEP_BYTES, take_text
from gpucurate.frame.device_table import DeviceTable, DeviceValues, text_to_device
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import counted_for, download, upload
from gpucurate.memory.gpu_pool import open_gpu_pool
from gpucurate.spec.statistics import StagePerfStats

MASKS = [[True] * 8, [False] * 8, [1, 0, 1, 0, 1, 0, 1, 0], [0, 1, 1, 1, 1, 0, 0, 1]]
TEXTS = ["", "a", None, "Ünïcödé", "x" * 3000, "", None, "last"]


def table():
    return pa.table(
        {
            "text": pa.array(TEXTS, pa.large_string()),
            "short": pa.array(TEXTS, pa.string()),
            "word": pa.array(["a", "b", None, "a", "b", "a", "a", "b"]).dictionary_encode(),
            "score": pa.array([1.5, None, 3, 4, 5, 6, 7, 8], pa.float64()),
            "count": pa.array(range(8), pa.int32()),
            "flag": pa.array([True, False, None, True, False, True, False, None]),
            "tags": pa.array([["x"], [], None, ["y", "z"], [], [], ["q"], []]),
        }
    )


def same(found, expected):
    assert found.column_names == expected.column_names
    for name in expected.column_names:
        assert found[name].to_pylist() == expected[name].to_pylist(), name


def test_a_table_comes_back_as_it_went(cuda):
    same(frame.to_arrow(frame.to_device_table(table())), table())


@pytest.mark.parametrize("rows", [slice(0, 0), slice(3, 4), slice(2, 7)])
def test_a_slice_takes_only_its_rows_along(cuda, rows):
    part = table().slice(rows.start, rows.stop - rows.start)
    stats = StagePerfStats("test")
    with counted_for(stats):
        moved = frame.to_device_table(part.select(["text"]))
    text = "".join(value or "" for value in part["text"].to_pylist())
    assert len(moved.columns["text"].data) == len(text.encode())
    assert stats.host_to_device_bytes <= len(text.encode()) + 9 * len(part) + 8
    same(frame.to_arrow(moved), part.select(["text"]))


def test_without_rows_or_columns(cuda):
    same(frame.to_arrow(frame.to_device_table(table().slice(0, 0))), table().slice(0, 0))
    assert frame.num_rows(DeviceTable({}, 3)) == 3


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize(
    "mask", [[True] * 8, [False] * 8, [1, 0, 1, 0, 1, 0, 1, 0], [0, 1, 1, 1, 1, 0, 0, 1]]
)
def test_rows_by_a_mask_of_either_side(cuda, mask, on_device):
    mask = np.array(mask, bool)
    moved = frame.to_device_table(table())
    chosen = frame.take_mask(moved, upload(mask) if on_device else mask)
    assert frame.num_rows(chosen) == mask.sum()
    same(frame.to_arrow(chosen), table().filter(pa.array(mask)))


def test_long_text_is_gathered_in_steps(cuda, monkeypatch):
    monkeypatch.setattr("gpucurate.frame.device_gather.STEP_BYTES", 100)
    rng = np.random.default_rng(1)
    texts = ["w" * int(n) for n in rng.integers(0, 90, 50)] + ["y" * 1000]
    mask = rng.random(51) < 0.6
    moved = frame.to_device_table(pa.table({"text": texts}))
    expected = [text for text, wanted in zip(texts, mask, strict=True) if wanted]
    assert frame.to_arrow(frame.take_mask(moved, mask))["text"].to_pylist() == expected


def test_tables_are_joined(cuda):
    parts = [table().slice(0, 3), table().slice(3, 0), table().slice(3, 5)]
    joined = frame.concatenate([frame.to_device_table(part) for part in parts])
    same(frame.to_arrow(joined), table())
    with pytest.raises(ValueError, match="cannot be joined"):
        frame.concatenate([frame.to_device_table(parts[0]), DeviceTable({}, 1)])


def test_columns_are_added_replaced_and_chosen(cuda):
    moved = frame.to_device_table(table())
    more = frame.with_columns(moved, {"n": upload(np.arange(8)), "count": pa.array("abcdefgh")})
    assert frame.column_names(more) == [*table().column_names, "n"]
    assert frame.column_as_arrow(more, "n").to_pylist() == list(range(8))
    assert frame.column_as_arrow(more, "count").to_pylist() == list("abcdefgh")
    assert frame.column_names(frame.select_columns(more, ["n", "text"])) == ["n", "text"]
    with pytest.raises(ValueError, match="'n' has 3 entries for 8 rows"):
        frame.with_columns(moved, {"n": np.arange(3)})


def test_a_text_column_is_its_buffers_without_a_copy(cuda):
    moved = frame.to_device_table(table())
    stats = StagePerfStats("test")
    with counted_for(stats):
        text = frame.text_of(moved, "text")
    assert text is moved.columns["text"]
    assert stats.host_to_device_bytes == stats.device_to_host_bytes == 0
    with pytest.raises(TypeError, match="float64 is not text"):
        frame.text_of(moved, "score")
    with pytest.raises(TypeError, match="list"):
        frame.text_of(moved, "tags")


def test_what_crosses_is_counted_to_the_byte(cuda):
    stats = StagePerfStats("test")
    with counted_for(stats):
        moved = DeviceTable.from_arrow(pa.table({"text": ["ab", "cde"], "n": pa.array([1, 2], pa.int32())}))
        assert (stats.host_to_device_bytes, stats.device_to_host_bytes) == (5 + 3 * 8 + 2 * 4, 0)
        download(moved.columns["n"].values)
    assert stats.device_to_host_bytes == 8
    assert moved.nbytes == 5 + 3 * 8 + 2 * 4


def test_a_column_without_a_kernel_stays_and_is_named(cuda):
    stats = StagePerfStats("test")
    with counted_for(stats):
        moved = frame.to_device_table(table().select(["tags"]))
    assert stats.host_to_device_bytes == 0
    assert dict(stats.departures) == {"columns of list<item: string> stay on the host": 8}
    assert frame.take_mask(moved, np.ones(8, bool)).columns["tags"].to_pylist() == table()["tags"].to_pylist()


def test_it_says_where_it_lies(cuda):
    moved = frame.to_device_table(table())
    assert frame.is_table(moved)
    assert frame.device_of(moved) == "cuda"
    assert frame.device_of(table()) == "cpu"
    assert frame.unpack(frame.pack(moved)).equals(frame.to_arrow(moved))


def test_values_keep_their_nulls(cuda):
    values = DeviceValues(upload(np.array([1, 2, 3])), upload(np.array([True, False, True])))
    found = frame.to_arrow(DeviceTable({"v": values}, 3))
    assert found["v"].to_pylist() == [1, None, 3]


def test_a_host_array_never_mixes_with_one_of_the_device(cuda):
    with pytest.raises(TypeError):
        upload(np.arange(3)) + np.arange(3)
    with pytest.raises(TypeError):
        np.asarray(upload(np.arange(3)))


def test_documents_are_read_from_either_side(cuda):
    text = TextBuffers.from_strings(TEXTS)
    moved = frame.text_of(frame.to_device_table(pa.table({"t": pa.array(TEXTS)})), "t")
    assert download(moved.data).tobytes() == text.data.tobytes()
    assert download(moved.valid).tolist() == text.valid.tolist()


@pytest.mark.parametrize("rows", [(0, 8), (2, 7), (3, 3), (7, 8)])
def test_rows_are_sliced_over_the_same_memory(cuda, rows):
    whole = frame.to_device_table(table())
    stats = StagePerfStats("test")
    with counted_for(stats):
        part = whole.slice(*rows)
    assert (stats.host_to_device_bytes, stats.device_to_host_bytes) == (0, 0)
    same(frame.to_arrow(part), table().slice(rows[0], rows[1] - rows[0]))
    assert len(part.columns["text"].data) == part.columns["text"].nbytes


def test_text_comes_back_as_the_type_that_it_was(cuda):
    moved = frame.to_device_table(table())
    kinds = {"text": pa.large_string(), "short": pa.string()}
    for made in (
        moved,
        moved.slice(1, 5),
        frame.take_mask(moved, np.arange(8) < 3),
        frame.concatenate([moved, moved]),
        frame.select_columns(moved, ["short", "text"]),
        frame.with_columns(moved, {"n": np.arange(8)}),
    ):
        arrow = frame.to_arrow(made)
        assert {name: arrow.schema.field(name).type for name in kinds} == kinds
        assert frame.column_as_arrow(made, "short").type == pa.string()
    longer = frame.with_columns(moved, {"short": moved.columns["text"]})
    assert frame.to_arrow(longer).schema.field("short").type == pa.large_string()


def test_rows_of_much_text_are_taken_in_steps(cuda):
    text = TextBuffers(np.full(40 << 20, 97, np.uint8), np.arange(0, (40 << 20) + 1, 1 << 16))
    pool = open_gpu_pool(None)
    there = text_to_device(text)
    taken = take_text(there, cuda.arange(len(text)) % 8 != 3)
    assert taken.nbytes == 35 << 20
    assert bool((taken.data == 97).all())
    del there, taken
    assert pool.peak_bytes < 2 * text.nbytes + 20 * STEP_BYTES < 500 << 20
    pool.close()
