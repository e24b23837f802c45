from __future__ import annotations

import threading

import pandas as pd
import pytest

from gpucurate.frame.table import cuda_is_available
from gpucurate.spec.errors import StageError
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.function_decorators import processing_stage
from gpucurate.tasks import DocumentBatch
from gpucurate.testing import check_stage


class Stage(ProcessingStage):
    def inputs(self):
        return ["data"], ["text"]


class Good(Stage):
    def outputs(self):
        return ["data"], ["length"]

    def process(self, batch):
        return batch.assign({"length": batch.to_pandas()["text"].str.len()})


def test_a_good_stage_passes_every_case():
    cases = ("empty", "null text", "empty text", "odd text", "huge text", "many rows")
    assert check_stage(Good) == check_stage(Good()) == [f"{case} on cpu" for case in cases]


def test_a_filter_passes():
    check_stage(
        processing_stage(inputs=["text"])(
            lambda b: b.select(b.to_pandas()["text"].str.len().gt(1).to_numpy())
        )
    )


class RaisesOnEmpty(Stage):
    def process(self, batch):
        batch.to_pandas()["text"].iloc[0]
        return batch


class RaisesOnNull(Stage):
    def process(self, batch):
        return batch.assign({"n": [len(text) for text in batch.to_pyarrow()["text"].to_pylist()]})


class ChangesInPlace(Stage):
    def process(self, batch):
        frame = batch.to_pandas()
        frame["text"] = "x"
        return DocumentBatch(batch.dataset_name, frame)


class Reassigns(Stage):
    def process(self, batch):
        batch.data = pd.DataFrame({"text": ["x"]})
        return batch


class Undelivered(Good):
    def process(self, batch):
        return batch


class Unpicklable(Stage):
    def __init__(self):
        self.lock = threading.Lock()

    def process(self, batch):
        return batch


class UnpicklableTask(Stage):
    def process(self, batch):
        batch = batch.assign({})
        batch._metadata["lock"] = threading.Lock()
        return batch


class Numbers(Stage):
    def process(self, batch):
        return batch.assign({"n": list(range(batch.num_items))})


class KeepsFirst(Stage):
    def process(self, batch):
        return batch.rows(0, 1)


class Changeable(Stage):
    def process(self, batch):
        return batch.assign({"n": [1] * batch.num_items if batch.num_items > 1 else ["1"] * batch.num_items})


class NoTask(Stage):
    def process(self, batch):
        return batch.to_pandas()


class FailsToSetUp(Stage):
    def setup(self, worker_metadata=None):
        raise OSError("no model")

    def process(self, batch):
        return batch


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (RaisesOnEmpty, "failed on empty: IndexError"),
        (RaisesOnNull, "failed on null text: TypeError"),
        (ChangesInPlace, "changed the batch it was given"),
        (Reassigns, r"changed the batch it was given \(empty\)"),
        (Undelivered, r"declares \['length'\] and does not make it"),
        (Unpicklable, "cannot be sent to a worker: cannot pickle"),
        (UnpicklableTask, "failed on empty: TypeError: cannot pickle"),
        (Numbers, "made .*'n': 1.* of a batch and .*'n': 0.* of its halves .*: set splittable=False"),
        (KeepsFirst, "made 1 rows of a batch and 2 of its halves .*: set splittable=False"),
        (Changeable, "made .*'n': 1.* of a batch and .*'n': '1'.* of its halves"),
        (NoTask, "failed on empty: StageError: .* returned DataFrame, which is not a task"),
        (FailsToSetUp, "failed on empty: OSError: no model"),
    ],
)
def test_a_bad_stage_is_told_which_case_it_fails(stage, message):
    with pytest.raises(StageError, match=f"stage {stage.__name__!r} {message}"):
        check_stage(stage)


def test_a_stage_that_says_that_batches_must_stay_whole_may_look_across_rows():
    class Whole(Numbers):
        splittable = False

    check_stage(Whole)


def test_a_stage_whose_types_depend_on_nulls_passes():
    check_stage(Good, text=["a", None, "ccc"])


def test_a_stage_that_makes_no_documents_passes():
    class Writes(Stage):
        def process(self, batch):
            return None

    check_stage(Writes)


def test_further_columns_can_be_given():
    @processing_stage(name="scored")
    def scored(batch):
        return batch.select(batch.to_pandas()["score"].to_numpy() > 0.5)

    check_stage(scored, score=[0.1, 0.9])


@pytest.mark.skipif(cuda_is_available(), reason="there is a GPU")
def test_a_stage_for_gpus_alone_cannot_be_checked_without_one():
    class Cuda(Good):
        devices = frozenset({"cuda"})

    with pytest.raises(StageError, match="runs on"):
        check_stage(Cuda)
