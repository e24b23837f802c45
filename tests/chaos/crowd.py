"""Pipelines of several segments, their workers, and what has to be true after any trouble."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import psutil

from gpucurate import InlineExecutor, Pipeline
from gpucurate.backends.session import SHARED
from gpucurate.pipeline.result import RunResult
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.backends.corpus import outputs


def pipeline(corpus: Path, output: Path, *stages: ProcessingStage) -> Pipeline:
    """One unit a file, read, sieved and written."""
    reader = JsonlReader(corpus, fields=["id"], files_per_partition=1)
    return Pipeline("chaos", stages=[reader, *stages, JsonlWriter(output)])


def clean(corpus: Path, output: Path, *stages: ProcessingStage) -> tuple[dict[str, str], RunResult]:
    """What a run without trouble writes, and its result."""
    result = pipeline(corpus, output, *stages).run(InlineExecutor())
    return outputs(output), result


def check_exactly_once(output: Path, result: RunResult, wanted: tuple[dict[str, str], RunResult]) -> None:
    """The same bytes, figures and books as without trouble, and nothing left of attempts."""
    files, calm = wanted
    assert outputs(output) == files
    assert result.report.counts == calm.report.counts
    assert result.report.books == calm.report.books
    assert result.report.books.balance == 0
    assert not (output / "_gpucurate" / "attempts").exists()
    assert not sessions_of(os.getpid())


def sessions_of(pid: int) -> list[Path]:
    """Folders in shared memory that a driver has made for what crosses between its workers."""
    return list(SHARED.glob(f"gpucurate-{os.getuid()}-{pid}-*"))


def workers_of(pid: int, others: Collection[psutil.Process] = ()) -> list[psutil.Process]:
    """Worker processes of a driver that live: forked by a process of its own.

    Args:
        pid: of the driver.
        others: that are not its own, where tests have started something else in that process, such as Ray.
    """
    found = []
    for server in psutil.Process(pid).children():
        try:
            found += [
                each
                for each in server.children()
                if each not in others and each.status() != psutil.STATUS_ZOMBIE
            ]
        except psutil.Error:  # it ended meanwhile
            continue
    return found


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
