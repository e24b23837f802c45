"""A pipeline whose stages hold secrets and tell them: ``script.py KIND INPUT OUTPUT``."""

from __future__ import annotations

import logging
import os
import sys

from gpucurate import LocalExecutor, Pipeline
from gpucurate.spec.errors import GpucurateError
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks.document import DocumentBatch


class Service(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Asks a service, which refuses."""

    name = "service"

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.api_key = "planted-in-a-stage-8f14e45f"
        self.storage_options = {"secret": "planted-in-options-45c48cce"}

    def setup(self, worker_metadata: object = None) -> None:
        if self.kind == "setup":
            self._refuse()

    def process(self, batch: DocumentBatch) -> DocumentBatch:
        ids = batch.to_pyarrow()["id"].to_pylist()
        if 155 in ids:
            self._refuse()
        return batch

    def _refuse(self) -> None:
        token = os.environ["TEST_SERVICE_TOKEN"]
        raise ConnectionError(
            f"https://me:{token}@host/v1?api_key={self.api_key} refused {self.storage_options} and {token}"
        )


class Whole(Service):
    """The same, of which a unit cannot be cut."""

    splittable = False


kind, given, output = sys.argv[1:]
logging.basicConfig(level=logging.DEBUG)
stage = Service(kind) if kind == "rejects" else Whole(kind)
reader = JsonlReader(given, fields=["id", "text"], text_fields=["text"], files_per_partition=1)
try:
    pipeline = Pipeline("service", stages=[reader, stage, JsonlWriter(output)])
    pipeline.run(LocalExecutor(workers=2, config={"fuse": False}), max_reject_rate=1.0)
except GpucurateError as error:
    print(type(error).__name__, error, *getattr(error, "__notes__", ()))
    sys.exit(error.exit_code)
