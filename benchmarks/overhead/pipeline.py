"""A pipeline with a checkpoint in its middle, or without one.

    python -m benchmarks.overhead.pipeline INPUT OUTPUT [CHECKPOINT]

Documents of at least ten words are kept; their number of words is written with them.
"""

from __future__ import annotations

import sys

from gpucurate import Checkpoint, LocalExecutor, Pipeline
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch


class Words(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Counts words."""

    def inputs(self) -> StageIO:
        """The text."""
        return ["data"], ["text"]

    def outputs(self) -> StageIO:
        """Their number."""
        return ["data"], ["words"]

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The batch with a column more."""
        return task.assign({"words": task.to_pandas()["text"].str.split().str.len()})


class Long(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Keeps what has ten words."""

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """The documents that are long enough."""
        return task.select(task.to_pandas()["words"].to_numpy() >= 10)


if __name__ == "__main__":
    source, target, *kept = sys.argv[1:]
    middle = [Checkpoint(folder) for folder in kept]
    stages = [JsonlReader(source, fields=["id", "text"]), Words(), *middle, Long(), JsonlWriter(target)]
    Pipeline("overhead", stages=stages).run(LocalExecutor())
