"""Units of work: what goes together and what is cut."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.io.listing import list_input
from gpucurate.io.ranges import group_ranges
from gpucurate.spec.errors import ConfigurationError


@pytest.fixture
def corpus(tmp_path):
    for name, size in [("a", 30), ("b", 30), ("c", 250), ("d", 30), ("e", 80), ("f", 0), ("g", 100)]:
        (tmp_path / f"{name}.jsonl").write_bytes(b"x" * size)
    return list_input([tmp_path])


def shown(units):
    return [[(r.file.name[0], r.start, r.stop) for r in unit] for unit in units]


def test_small_files_go_together_and_large_ones_are_cut(corpus):
    assert shown(group_ranges(corpus, 100)) == [
        [("a", 0, 30), ("b", 0, 30)],
        [("c", 0, 100)],
        [("c", 100, 200)],
        [("c", 200, 250)],
        [("d", 0, 30)],
        [("e", 0, 80), ("f", 0, 0)],
        [("g", 0, 100)],
    ]


def test_files_per_partition_takes_whole_files(corpus):
    assert shown(group_ranges(corpus, 100, files_per_partition=3)) == [
        [("a", 0, 30), ("b", 0, 30), ("c", 0, 250)],
        [("d", 0, 30), ("e", 0, 80), ("f", 0, 0)],
        [("g", 0, 100)],
    ]


def test_a_unit_holds_at_most_1024_files(tmp_path):
    for i in range(1500):
        (tmp_path / f"{i}.jsonl").touch()
    assert [len(unit) for unit in group_ranges(list_input([tmp_path]), 100)] == [1024, 476]


def test_compressed_files_are_never_cut_and_weigh_fourfold(tmp_path):
    for name, size in [("a", 20), ("b", 6), ("c", 5), ("d", 1000)]:
        (tmp_path / f"{name}.jsonl.gz").write_bytes(b"x" * size)
    units = group_ranges(list_input([tmp_path]), 100)
    assert shown(units) == [[("a", 0, 20)], [("b", 0, 6), ("c", 0, 5)], [("d", 0, 1000)]]


def test_large_parquet_is_cut_at_row_groups_and_broken_parquet_stays_whole(tmp_path):
    pq.write_table(
        pa.table({"text": [f"{i:>20}" for i in range(100)]}), tmp_path / "a.parquet", row_group_size=10
    )
    (tmp_path / "b.parquet").write_bytes(b"broken " * 1000)
    units = group_ranges(list_input([tmp_path]), 500)
    *parts, broken = [unit for (unit,) in units]
    assert len(parts) > 2
    assert (parts[0].start, parts[-1].stop) == (0, 10)
    assert (broken.file.name, broken.start, broken.stop, broken.count) == ("b.parquet", 0, 0, 1)


@pytest.mark.parametrize("arguments", [(0,), (100, 0)])
def test_sizes_below_one_are_refused(corpus, arguments):
    with pytest.raises(ConfigurationError, match="must be at least 1"):
        group_ranges(corpus, *arguments)
