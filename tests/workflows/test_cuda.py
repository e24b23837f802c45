"""Deduplication with ``device="cuda"``: the same clusters and the same bytes as on the CPU."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.dedup.resident_keys import ResidentKeys
from gpucurate.spec.errors import ConfigurationError
from gpucurate.stages.deduplication.grouping import BandGrouping
from gpucurate.workflows import passes
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

WORKFLOWS = {"exact": ExactDeduplicationWorkflow, "fuzzy": FuzzyDeduplicationWorkflow}


def documents(count=60, seed=5):
    """Documents among which some are equal and some nearly."""
    rng = np.random.default_rng(seed)
    words = [f"w{number:x}" for number in range(300)]
    made = [" ".join(rng.choice(words, int(rng.integers(5, 120)))) for _ in range(count)]
    made[7] = made[3]
    made[20] = made[3].upper()
    made[31] = made[30] + " and more"
    made[40] = 'Ünïcödé\ttext \\ with "quotes" \U0001f600 ' + made[41]
    return [*made, "", "", "短い文書", made[50]]


def rows(count=60, seed=5):
    texts = documents(count, seed)
    return [
        {"id": number, "text": text, "score": number % 7, "lang": "de" if number % 3 else None}
        for number, text in enumerate(texts)
    ]


def write_jsonl(folder: Path, made, parts=2):
    folder.mkdir(exist_ok=True)
    for part in range(parts):
        lines = [json.dumps(row, ensure_ascii=bool(row["id"] % 2)) for row in made[part::parts]]
        (folder / f"part-{part}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def source(tmp_path):
    return write_jsonl(tmp_path / "in", rows())


def outcome(output: Path):
    """Bytes of every file that is a result, and the clusters."""
    files = [*output.glob("*.jsonl*"), *output.glob("_gpucurate/rejects/*")]
    clusters = pq.read_table(output / "_gpucurate" / "clusters")
    tables = {path.name: pq.read_table(path) for path in output.glob("*.parquet")}
    return {path.name: path.read_bytes() for path in files}, tables, clusters.to_pylist()


def agree(source, tmp_path, sort, executor=None, **options):
    """Run on both devices; the report of the GPU's."""
    WORKFLOWS[sort](source, tmp_path / "cpu", device="cpu", **options).run(InlineExecutor())
    workflow = WORKFLOWS[sort](source, tmp_path / "cuda", device="cuda", **options)
    report = workflow.run(executor or InlineExecutor()).report
    assert outcome(tmp_path / "cuda") == outcome(tmp_path / "cpu")
    return report


def stage(report, name):
    """Figures of a stage, in the first phase that has it."""
    return next(stats for phase in report.phases for stats in phase.stages if stats.stage_name == name)


def test_grouping_begins_without_idle_memory(source, tmp_path, cuda, monkeypatch):
    idle = []
    join = BandGrouping._join

    def noted(stage, *given):
        idle.append(stage.gpu_memory.pool.trim())
        return join(stage, *given)

    monkeypatch.setattr(BandGrouping, "_join", noted)
    agree(source, tmp_path, "fuzzy")
    assert idle == [0]


def test_the_keys_of_a_units_batches_stay_on_the_device_in_one_piece(source, tmp_path, cuda, monkeypatch):
    kept = []
    put = ResidentKeys.put

    def noted(resident, path, pieces):
        kept.append(
            [(piece.documents, piece.keys.shape[1], piece.keys.flags.c_contiguous) for piece in pieces]
        )
        return put(resident, path, pieces)

    monkeypatch.setattr(ResidentKeys, "put", noted)
    monkeypatch.setattr(passes, "PIECE_BYTES", 4096)
    agree(source, tmp_path, "fuzzy")
    assert kept == [[(62, 62, True)]]


@pytest.mark.parametrize("sort", WORKFLOWS)
def test_clusters_and_bytes_are_those_of_the_cpu(cuda, source, tmp_path, sort):
    report = agree(source, tmp_path, sort)
    assert report.details["clusters"]["duplicates"] > 2


@pytest.mark.parametrize(
    "options",
    [
        {"preset": "nemo"},
        {"preset": "fineweb"},
        {"sketch": "fss"},
        {"compat": "nemo", "use_64_bit_hash": True},
        {"keep": "longest", "annotate": True},
        {"keep": "max:score"},
        {"within": "lang"},
        {"sample": 0.5},
        {"threshold": 0.7, "verify": "exact"},
        {"threshold": 0.7, "verify": "estimate"},
    ],
    ids=str,
)
def test_every_way_of_doing_it_gives_the_same(cuda, source, tmp_path, options):
    agree(source, tmp_path, "fuzzy", **options)


def test_text_goes_up_once_and_only_keys_and_lengths_come_back(cuda, source, tmp_path):
    report = agree(source, tmp_path, "fuzzy")
    size, count = sum(path.stat().st_size for path in source.glob("*")), len(rows())
    reader, keys, grouping = (stage(report, name) for name in ("reader", "document_keys", "band_grouping"))
    assert size <= reader.host_to_device_bytes < size + 100
    assert reader.device_to_host_bytes == 0
    assert keys.host_to_device_bytes == 4 * (count - 2)  # where the documents with keys stand
    assert keys.device_to_host_bytes == (count - 2) * 16 * 8 + count * (1 + 8)
    assert grouping.host_to_device_bytes == 0  # the keys are there still
    assert grouping.device_to_host_bytes == 4 * count
    assert not reader.departures
    assert keys.gpu_peak_bytes > size


@pytest.mark.parametrize("limit", [1_900_000, 4_000_000, 100_000_000])
def test_the_limit_of_memory_holds_and_makes_no_difference(cuda, tmp_path, limit):
    source = write_jsonl(tmp_path / "in", rows(3000))
    report = agree(source, tmp_path, "fuzzy", InlineExecutor(gpu_memory=limit))
    peaks = [stats.gpu_peak_bytes for phase in report.phases for stats in phase.stages]
    assert 0.4 * limit < max(peaks) <= limit or limit == 100_000_000


def test_what_cannot_fit_is_told_with_what_to_do(cuda, source, tmp_path):
    workflow = FuzzyDeduplicationWorkflow(source, tmp_path / "out", device="cuda")
    with pytest.raises(ConfigurationError, match=r"gpu.memory|--gpu-memory"):
        workflow.run(InlineExecutor(gpu_memory="900TB"))


@pytest.mark.parametrize("sort", WORKFLOWS)
def test_worker_processes_with_a_gpu_each(cuda, source, tmp_path, sort, monkeypatch):
    monkeypatch.setenv("GPUCURATE_EMULATED_GPUS", "2")
    gpus = min(2, cuda.cuda.runtime.getDeviceCount())
    report = agree(source, tmp_path, sort, LocalExecutor(2, gpus=gpus), input_blocksize=4000)
    assert f"group on {gpus} GPU{'s' if gpus > 1 else ''}" in [phase.name for phase in report.phases]


def test_more_gpus_than_there_are_is_an_error(cuda, source, tmp_path):
    workflow = ExactDeduplicationWorkflow(source, tmp_path / "out", device="cuda")
    with pytest.raises(ConfigurationError, match="99 GPUs were asked for, and there are"):
        workflow.run(LocalExecutor(2, gpus=99))


def test_a_run_may_go_on_on_another_device(cuda, source, tmp_path):
    """What an interrupted run took on one device is taken for what the other would have."""
    ExactDeduplicationWorkflow(source, tmp_path / "cpu", device="cpu").run(InlineExecutor())
    begun = ExactDeduplicationWorkflow(source, tmp_path / "cuda", device="cpu")
    begun.run(InlineExecutor())
    for path in (tmp_path / "cuda").glob("*.jsonl"):
        path.unlink()
    ExactDeduplicationWorkflow(source, tmp_path / "cuda", device="cuda").run(InlineExecutor())
    assert outcome(tmp_path / "cuda") == outcome(tmp_path / "cpu")


def test_compressed_lines_and_rejects(cuda, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    lines = [json.dumps(row) for row in rows()]
    lines[10:10] = ['{"text": 7}', "", '{"text": "half', '{"text": "a", "text": "twice"}']
    (folder / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    report = agree(folder, tmp_path, "exact", max_reject_rate=0.5)
    assert dict(report.books.rejected) == {"wrong_type": 1, "bad_json": 1}
    assert stage(report, "reader").departures == {"lines of unusual JSON": 3}


@pytest.mark.parametrize("sort", WORKFLOWS)
def test_parquet_is_the_same_content(cuda, tmp_path, sort):
    folder = tmp_path / "in"
    folder.mkdir()
    table = pa.Table.from_pylist(rows())
    pq.write_table(table, folder / "a.parquet", row_group_size=20, compression="zstd")
    agree(folder, tmp_path, sort)


def test_against_an_index_that_the_cpu_made(cuda, source, tmp_path):
    index = tmp_path / "index"
    first = write_jsonl(tmp_path / "first", rows()[:40])
    FuzzyDeduplicationWorkflow(first, tmp_path / "done", device="cpu", save_index=index).run(InlineExecutor())
    report = agree(source, tmp_path, "fuzzy", against=[index])
    assert report.details["against"]["dropped"] > 10


def test_nothing_is_left_on_the_gpu(cuda, source, tmp_path):
    from gpucurate.backends.gpu import _open

    agree(source, tmp_path, "fuzzy")
    assert not _open  # memory that is still held would have been an error
