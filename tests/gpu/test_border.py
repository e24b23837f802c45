"""Text around 2^31 bytes on a device: offsets of 32 bits below, of 64 above, and cuDF agrees."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.frame import table as frame
from gpucurate.frame.cudf_columns import frame_of, table_of
from gpucurate.frame.device_table import DeviceTable
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import counted_for
from gpucurate.memory.driver_pool import device_memory
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.char_length import char_length
from gpucurate.ops.cuda import CUDA
from gpucurate.ops.utf8 import invalid_utf8
from gpucurate.spec.statistics import StagePerfStats
from tests.io.reading import read

pytestmark = pytest.mark.gpu

BORDER = 2**31
MUCH = 2_200_000_000
DOCUMENTS = 500
NEEDED = 20 * 10**9


@pytest.fixture
def memory():
    """A pool that text of this size fits several times; all of it must be given back."""
    pytest.importorskip("cudf", reason="cuDF is not installed")
    if device_memory()[0] < NEEDED:
        pytest.skip(f"less than {NEEDED:,} bytes of GPU memory are free")
    opened = GpuMemory(None)
    yield opened
    CUDA.forget_tables()
    opened.close()


def text_of_size(nbytes):
    """Documents of x, each ending in é, the first of which are empty."""
    import cupy

    offsets = np.linspace(0, nbytes, DOCUMENTS + 1).astype(np.int64)
    offsets[:3] = 0
    data = cupy.full(nbytes, ord("x"), np.uint8)
    ends = cupy.asarray(offsets[3:])
    data[ends - 2], data[ends - 1] = 0xC3, 0xA9
    return TextBuffers(data, cupy.asarray(offsets))


def expected_lengths(text):
    nbytes = np.diff(text.offsets.get())
    return np.maximum(nbytes - 1, 0)


@pytest.mark.parametrize("nbytes, width", [(BORDER - 1, "INT32"), (BORDER, "INT64"), (MUCH, "INT64")])
def test_offsets_have_the_width_that_libcudf_wants(memory, nbytes, width):
    text = text_of_size(nbytes)
    cudf_frame = frame_of(DeviceTable({"text": text}, DOCUMENTS))
    column = cudf_frame["text"].to_pylibcudf()[0]
    assert column.child(0).type().id().name == width
    assert column.data().ptr == text.data.data.ptr
    expected = expected_lengths(text)
    assert np.array_equal(cudf_frame["text"].str.len().to_numpy(), expected)
    back = table_of(cudf_frame).columns["text"]
    assert back.data.data.ptr == text.data.data.ptr
    assert np.array_equal(back.offsets.get(), text.offsets.get())
    assert np.array_equal(char_length(back).get(), expected)
    assert not invalid_utf8(back).any()


def test_frames_below_the_border_are_joined_above_it_and_sliced_again(memory):
    half = frame_of(DeviceTable({"text": text_of_size(MUCH // 2)}, DOCUMENTS))
    joined = frame.concatenate([half, half])
    column = joined["text"].to_pylibcudf()[0]
    assert column.child(0).type().id().name == "INT64"
    part = table_of(joined.iloc[DOCUMENTS - 7 : DOCUMENTS + 7]).columns["text"]
    lengths = np.diff(table_of(half).columns["text"].offsets.get())
    assert np.diff(part.offsets.get()).tolist() == [*lengths[-7:], *lengths[:7]]
    assert not invalid_utf8(part).any()


def test_rows_are_taken_on_both_sides_of_the_border(memory):
    import cupy

    text = text_of_size(MUCH)
    mask = cupy.arange(DOCUMENTS) % 5 == 4
    taken = DeviceTable({"text": text}, DOCUMENTS).take_mask(mask).columns["text"]
    assert np.array_equal(np.diff(taken.offsets.get()), np.diff(text.offsets.get())[mask.get()])
    assert not invalid_utf8(taken).any()
    text.data[-1] = ord("x")
    assert np.flatnonzero(invalid_utf8(text).get()).tolist() == [DOCUMENTS - 1]


def read_back(memory, tmp_path, piece_bytes):
    """Read a row group of so much text; the pieces."""
    documents = [f"{number} {'x' * (MUCH // DOCUMENTS)} é" for number in range(DOCUMENTS)]
    table = pa.table({"text": pa.array(documents, pa.large_string())})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    del table
    stats = StagePerfStats("reader")
    with counted_for(stats):
        found = read(tmp_path / "a.parquet", gpu=memory, keep_original=False, piece_bytes=piece_bytes)
    assert not stats.departures
    assert stats.host_to_device_bytes < (tmp_path / "a.parquet").stat().st_size
    assert found.texts == documents
    assert {frame.device_of(piece.table) for piece in found.pieces} == {"cuda"}
    return len(found.pieces)


@pytest.mark.parametrize("piece_bytes", [1 << 40, 300_000_000])
def test_a_row_group_of_parquet_beyond_the_border(memory, tmp_path, piece_bytes):
    assert (read_back(memory, tmp_path, piece_bytes) == 1) == (piece_bytes > MUCH)


def test_such_a_row_group_is_read_in_chunks_where_memory_is_short(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(GpuMemory, "free", 2 * MUCH)
    assert read_back(memory, tmp_path, MUCH // 5) > 4
