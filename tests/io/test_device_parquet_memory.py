"""Row groups that are large for the memory of a device, or do not fit, and a device that is lost."""

import os

import pyarrow as pa
import pytest

from gpucurate.frame import cudf_parquet
from gpucurate.io.parquet import device_reader
from gpucurate.memory.gpu_memory import GpuMemory
from tests.io.reading import read
from tests.io.test_device_parquet import agree, on_device
from tests.io.test_parquet import TEXTS, write


@pytest.fixture
def limits_given(cuda, monkeypatch, request):
    """The limits that chunks are asked for with."""
    if request.config.getoption("--device") == "cuda":
        pytest.skip(
            "what a few megabytes suffice for is the stand-in's; tests/gpu/test_border.py has libcudf's"
        )
    import pylibcudf

    given, reader = [], pylibcudf.io.parquet.ChunkedParquetReader

    def noted(*arguments, **limits):
        given.append(limits)
        return reader(*arguments, **limits)

    monkeypatch.setattr(pylibcudf.io.parquet, "ChunkedParquetReader", noted)
    return given


def large(path, bad_row=None):
    texts = [f"{i} ".encode() + os.urandom(400).hex().encode() for i in range(1000)]
    if bad_row is not None:
        texts[bad_row] = b"\xff"
    return write(path, pa.table({"text": pa.array(texts).view(pa.string())}), row_group_size=1000)


def test_a_row_group_that_is_large_for_the_memory_is_read_in_chunks(tmp_path, cuda, limits_given):
    path = large(tmp_path / "a.parquet")
    small = GpuMemory(2_900_000)
    stats, outcome = agree(path, small, piece_bytes=150_000)
    assert set(on_device(outcome)) == {"cuda"}
    assert len(outcome.pieces) > 3
    assert limits_given[0] == {
        "chunk_read_limit": 150_000,
        "pass_read_limit": pytest.approx(2_900_000 // 4, 0.1),
    }
    assert not stats.departures
    del outcome
    small.close()


def test_of_a_row_group_in_chunks_the_rest_is_read_again_where_one_is_bad(tmp_path, cuda, limits_given):
    path = large(tmp_path / "a.parquet", bad_row=700)
    small = GpuMemory(2_900_000)
    stats, outcome = agree(path, small, piece_bytes=150_000)
    assert outcome.reasons == [("invalid_utf8", 700)]
    devices = on_device(outcome)
    assert devices == sorted(devices, reverse=True)
    assert set(devices) == {"cpu", "cuda"}
    (left,) = stats.departures.values()
    assert 300 <= left < 700
    del outcome
    small.close()


def test_a_row_group_that_does_not_fit_is_read_on_the_host(tmp_path, cuda, monkeypatch):
    path = write(tmp_path / "a.parquet", pa.table({"text": ["a" * 400_000, "b", "c" * 400_000]}))
    small, held = GpuMemory(300_000), []
    monkeypatch.setattr(small, "release", lambda: held.append(small.pool.current_bytes))
    stats, outcome = agree(path, small)
    assert held == [0]
    assert set(on_device(outcome)) == {"cpu"}
    assert dict(stats.departures) == {"row groups that do not fit the GPU": 3}
    assert small.pool.current_bytes == 0
    del outcome
    small.close()


def test_a_lost_device_is_no_reason_to_go_on(tmp_path, cuda, monkeypatch):
    memory = GpuMemory(None)

    def lost(*_):
        raise cudf_parquet.RefusedError("libcudf") from RuntimeError("cudaErrorIllegalAddress")

    monkeypatch.setattr(device_reader, "read_row_group", lost)
    with pytest.raises(cudf_parquet.RefusedError):
        read(write(tmp_path / "a.parquet", pa.table({"text": TEXTS})), gpu=memory, keep_original=False)
    memory.close()
