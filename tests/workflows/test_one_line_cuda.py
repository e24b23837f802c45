"""Frames on a GPU: the rows and clusters of the host's, and the text stays there."""

import pyarrow as pa
import pytest

from gpucurate import exact_dedup, fuzzy_dedup
from gpucurate.frame import table as frame
from gpucurate.frame.transfers import counted_for
from gpucurate.spec.statistics import StagePerfStats
from tests.workflows.test_cuda import rows


@pytest.fixture
def documents():
    made = rows(200)
    made[5]["text"] = None
    return pa.Table.from_pylist(made)


def on_gpu(documents, engine):
    if engine == "cudf":
        pytest.importorskip("cudf")
        return frame.to_cudf(documents)
    return frame.to_device_table(documents)


@pytest.mark.parametrize("engine", ["columns", "cudf"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"keep": "longest"},
        {"keep": "max:score"},
        {"within": "lang"},
        {"threshold": 0.8, "verify": "exact"},
    ],
    ids=str,
)
def test_a_frame_of_a_gpu_gives_what_one_of_the_host_does(cuda, documents, engine, options):
    expected = fuzzy_dedup(documents, **options)
    found = fuzzy_dedup(on_gpu(documents, engine), **options)
    assert found.clusters.equals(expected.clusters)
    assert found.clusters.num_rows > 4
    assert frame.device_of(found.kept) == "cuda"
    assert frame.to_arrow(found.kept)["id"].to_pylist() == expected.kept["id"].to_pylist()
    assert frame.to_arrow(found.kept)["text"].to_pylist() == expected.kept["text"].to_pylist()


@pytest.mark.parametrize("normalize", [False, True])
def test_equal_texts_of_a_frame_on_a_gpu(cuda, documents, normalize):
    expected = exact_dedup(documents, normalize=normalize)
    found = exact_dedup(on_gpu(documents, "columns"), normalize=normalize)
    assert found.clusters.equals(expected.clusters)
    assert found.duplicates == expected.duplicates > 1


def test_the_text_does_not_leave_the_gpu(cuda, documents):
    data = on_gpu(documents, "columns")
    stats = StagePerfStats("dedup")
    with counted_for(stats):
        fuzzy_dedup(data)
    count = documents.num_rows
    assert stats.device_to_host_bytes == count * (8 + 3 * 4)  # lengths; labels, sizes, survivors
    assert stats.host_to_device_bytes == count * (4 + 1)  # ranks; the mask


def test_a_frame_without_rows(cuda, documents):
    assert exact_dedup(on_gpu(documents.slice(0, 0), "columns")).duplicates == 0
    assert fuzzy_dedup(on_gpu(documents.slice(0, 1), "columns")).duplicates == 0


def test_a_column_that_is_no_text_is_said_to_be_none(cuda, documents):
    with pytest.raises(TypeError, match="not text"):
        fuzzy_dedup(on_gpu(documents, "columns"), text_field="score")
