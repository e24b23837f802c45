"""What the design rests on in cuDF, pylibcudf and RMM, beyond what the package calls so far by name.

Written as calls: each exists in the release that is pinned, and takes these arguments by these names.
"""

import re
import tomllib

import pytest

from tests.rapids.calls import objection
from tests.rapids.uses import uses_in

FACTS = """
# The frame: methods on frames that carry no annotation, so that no other check sees them.
cudf.DataFrame().to_arrow(preserve_index=False)
cudf.DataFrame().memory_usage(index=False, deep=True)
cudf.DataFrame().reset_index(drop=True)
cudf.DataFrame().assign
cudf.DataFrame().columns
cudf.DataFrame().to_pylibcudf()
cudf.DataFrame.from_pylibcudf(table, metadata=names)
cudf.Series().to_pylibcudf()
cudf.Series.from_pylibcudf(column, metadata=None)
cudf.Series().astype(dtype)
cudf.set_option("spill", False)

# The buffers of a text column, and a column from buffers (null mask and offsets of either width).
column = plc.Column(data_type=kind, size=n, data=view, mask=None, null_count=0, offset=0, children=[])
column.data()
column.child(0)
column.null_mask()
column.null_count()
column.offset()
column.size()
column.type().id()
plc.Column.from_cuda_array_interface(offsets)
plc.Column.from_arrow(array, stream=stream, mr=mr)
column.to_arrow(stream=stream)
plc.DataType(plc.TypeId.STRING)
plc.gpumemoryview(array)
plc.TypeId.INT32, plc.TypeId.INT64
plc.Table([column]).columns()
plc.concatenate.concatenate([table], stream=stream, mr=mr)
plc.stream_compaction.apply_boolean_mask(table, mask, stream=stream, mr=mr)
plc.contiguous_split.pack(table, stream=stream, mr=mr)

# Readers: byte ranges of JSON lines; row groups, columns and footers of Parquet.
json = plc.io.json.JsonReaderOptions.builder(plc.io.SourceInfo([path]))
json.byte_range_offset(0).byte_range_size(5).lines(True).recovery_mode(mode).build()
plc.io.json.JSONRecoveryMode.RECOVER_WITH_NULL
plc.io.json.read_json(options, stream=stream, mr=mr)
parquet = plc.io.parquet.ParquetReaderOptions.builder(plc.io.SourceInfo([path])).build()
parquet.set_columns(names)
parquet.set_row_groups(groups)
plc.io.parquet.read_parquet(parquet, stream=stream, mr=mr)
plc.io.parquet.ChunkedParquetReader(parquet, stream=stream, mr=mr, chunk_read_limit=0, pass_read_limit=0)

# Memory: an asynchronous pool under adaptors, for CuPy too, and for torch where it is asked for.
pool = rmm.mr.CudaAsyncMemoryResource(initial_pool_size=0, release_threshold=0)
rmm.mr.CudaAsyncViewMemoryResource(pool_handle=handle)
limit = rmm.mr.LimitingResourceAdaptor(upstream_mr=pool, allocation_limit=5)
limit.get_allocated_bytes()
rmm.mr.FailureCallbackResourceAdaptor(upstream_mr=limit, callback=callback)
statistics = rmm.mr.StatisticsResourceAdaptor(upstream_mr=limit)
statistics.push_counters()
statistics.pop_counters()
statistics.allocation_counts.peak_bytes
statistics.allocation_counts.current_bytes
rmm.mr.set_current_device_resource(statistics)
rmm.mr.get_per_device_resource(0)
rmm.mr.PinnedHostMemoryResource()
rmm.mr.available_device_memory()
rmm.allocators.cupy.rmm_cupy_allocator(5)
rmm.allocators.torch.rmm_torch_allocator

# What cuDF's own stages are made of, for comparison and for the baseline of the benchmarks.
cudf.read_json(path, engine="cudf", lines=True, dtype=types, byte_range=[0, 5], prune_columns=True)
cudf.read_parquet(path, columns=names, row_groups=groups)
cudf.Series().str.minhash(seed=0, a=a, b=b, width=5)
cudf.Series().str.minhash64(seed=0, a=a, b=b, width=5)
cudf.Series().hash_values(method="murmur3", seed=0)
cudf.DataFrame().drop_duplicates(subset=names, ignore_index=True)
cudf.DataFrame().merge(other, on="key", how="left")
cudf.DataFrame().sort_values(by="key", ignore_index=True)
cudf.DataFrame().partition_by_hash(columns=names, nparts=2)
cudf.DataFrame().explode("key", ignore_index=True)
cudf.DataFrame().to_parquet(path, compression="zstd", row_group_size_rows=5, statistics="NONE")
cudf.Series().list.get(0)
cudf.Series().list.leaves
cudf.Series().isin(values)
cudf.Series().fillna(other)
cudf.DataFrame().hash_values(method="xxhash64")
cudf.DataFrame().groupby("key")
cudf.DataFrame().rename(columns=names)
cudf.DataFrame().drop(columns=names)
cudf.io.json.to_json(frame, path, engine="cudf", orient="records")
plc.nvtext.minhash.minhash(column, seed, a, b, width=5, stream=stream, mr=mr)
plc.nvtext.minhash.minhash64(column, seed, a, b, width=5, stream=stream, mr=mr)
"""
GONE = "cudf.Scalar", "cudf.Series().str.minhash_permuted", "cudf.core.subword_tokenizer"
"""What older code calls, and the pinned release does not have."""


def test_the_facts_hold(rapids):
    uses = uses_in(FACTS)
    assert len(uses) > 2 * FACTS.count("\nplc"), "the table is not read"
    assert [reason for use in uses if (reason := objection(rapids, use))] == []


@pytest.mark.parametrize("name", GONE)
def test_what_is_gone_is_gone(rapids, name):
    assert rapids.look_up(name) is None


def test_what_is_fetched_is_what_the_extra_installs(repository):
    pins = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (repository / "rapids-api.txt").read_text(), re.M))
    assert set(pins) == {"cudf-cu13", "pylibcudf-cu13", "rmm-cu13"}
    extra = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["optional-dependencies"][
        "cu13"
    ]
    ranges = dict(requirement.split("==") for requirement in extra if "==" in requirement)
    (release,) = {ranges[name].removesuffix("*") for name in ("cudf-cu13", "rmm-cu13")}
    assert all(version.startswith(release) for version in pins.values())


def test_the_folder_holds_what_is_pinned(repository, rapids_folder):
    if rapids_folder.name != "rapids-api":
        pytest.skip("RAPIDS is installed, and not fetched")
    for name, version in re.findall(
        r"^([\w-]+)==([\d.]+)$", (repository / "rapids-api.txt").read_text(), re.M
    ):
        assert (rapids_folder / f"{name.replace('-', '_')}-{version}.dist-info").is_dir(), name
