"""A signal ends a run in time, whatever a unit is at."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from gpucurate import InlineExecutor
from gpucurate.backends import signals
from gpucurate.spec.errors import InterruptedRunError
from tests.backends.corpus import outputs, write_corpus
from tests.chaos.crowd import clean, pipeline
from tests.chaos.stages import Sieve


@pytest.fixture
def listening():
    """Python's own handlers: whoever runs the tests may ignore what they send."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (2, 15)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_unit_of_this_process_that_takes_too_long_is_left_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listening: None, number: int
) -> None:
    monkeypatch.setattr(signals, "PATIENCE_SECONDS", 0.5)
    corpus = write_corpus(tmp_path / "in")
    wanted, _ = clean(corpus, tmp_path / "clean", Sieve(3))
    threading.Timer(1.0, os.kill, (os.getpid(), number)).start()
    began = time.monotonic()
    with pytest.raises(InterruptedRunError, match="interrupted with 0 of 6 units done") as raised:
        pipeline(corpus, tmp_path / "out", Sieve(3, seconds=60)).run(InlineExecutor())
    assert time.monotonic() - began < 20
    assert raised.value.signum == number
    assert not (tmp_path / "out" / "_gpucurate" / "_SUCCESS").exists()
    pipeline(corpus, tmp_path / "out", Sieve(3)).run(InlineExecutor())
    assert outputs(tmp_path / "out") == wanted
