"""The tests of ``tests/gpu/test_border.py`` with a border of 2^15 bytes, without a device."""

import pytest

from gpucurate.frame import cudf_columns
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.cuda import CUDA
from tests.gpu import test_border as large

BORDER, MUCH = 2**15, 50_000


@pytest.fixture
def memory(cuda, monkeypatch, request):
    if request.config.getoption("--device") == "cuda":
        pytest.skip("tests/gpu has the border itself")
    import pylibcudf.column

    monkeypatch.setattr(large, "BORDER", BORDER)
    monkeypatch.setattr(large, "MUCH", MUCH)
    for module in (cudf_columns, pylibcudf.column):
        monkeypatch.setattr(module, "MOST_SHORT_OFFSETS", BORDER - 1)
    opened = GpuMemory(None)
    yield opened
    CUDA.forget_tables()
    opened.close()


@pytest.mark.parametrize("nbytes, width", [(BORDER - 1, "INT32"), (BORDER, "INT64"), (MUCH, "INT64")])
def test_offsets_have_the_width_that_libcudf_wants(memory, nbytes, width):
    large.test_offsets_have_the_width_that_libcudf_wants(memory, nbytes, width)


def test_frames_below_the_border_are_joined_above_it_and_sliced_again(memory):
    large.test_frames_below_the_border_are_joined_above_it_and_sliced_again(memory)


def test_rows_are_taken_on_both_sides_of_the_border(memory):
    large.test_rows_are_taken_on_both_sides_of_the_border(memory)


def test_such_a_row_group_is_read_in_chunks_where_memory_is_short(memory, tmp_path, monkeypatch):
    large.test_such_a_row_group_is_read_in_chunks_where_memory_is_short(memory, tmp_path, monkeypatch)


@pytest.mark.parametrize("piece_bytes", [1 << 40, 30_000])
def test_a_row_group_of_parquet_beyond_the_border(memory, tmp_path, piece_bytes):
    large.test_a_row_group_of_parquet_beyond_the_border(memory, tmp_path, piece_bytes)
