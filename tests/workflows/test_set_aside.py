"""Units that could not be done the first time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.spec.errors import QuarantinedError
from gpucurate.stages.deduplication.keys import DocumentKeys
from gpucurate.tasks.document import DocumentBatch
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from tests.workflows.tree import clusters, digests


def test_a_unit_that_can_be_done_after_all_changes_what_survives(
    make_corpus: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_corpus()

    def run(output: str) -> None:
        ExactDeduplicationWorkflow(folder, tmp_path / output, input_blocksize="20kB").run(InlineExecutor())

    process = DocumentKeys.process

    def fails(stage: DocumentKeys, task: DocumentBatch) -> None:
        if stage.context.unit_index == 0:
            raise ValueError("out of luck")
        process(stage, task)

    run("clean")
    with monkeypatch.context() as patched:
        patched.setattr(DocumentKeys, "process", fails)
        for _ in range(2):  # the second run goes on from the first
            with pytest.raises(QuarantinedError, match="out of luck"):
                run("out")
    run("out")
    assert digests(tmp_path / "out") == digests(tmp_path / "clean")
    assert clusters(tmp_path / "out") == clusters(tmp_path / "clean")
