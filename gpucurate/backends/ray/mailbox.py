"""Answers of calls, in the order they come, without asking for each."""

from __future__ import annotations

import queue
from concurrent.futures import Future
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What came of a call.

    Attributes:
        worker: that was called.
        call: what it was called for.
        value: what it returned; None where it failed.
        error: why it failed.
    """

    worker: int
    call: Any
    value: Any
    error: BaseException | None


class Mailbox:
    """Where answers of all workers come in.

    Ray tells of each as it comes, from a thread of its own: the cost does not grow with the calls that
    are out, as that of ``ray.wait`` does.
    """

    def __init__(self) -> None:
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def expect(self, worker: int, call: Any, ref: Any) -> None:
        """Have the answer of a call come in."""

        def put(done: Future[Any]) -> None:
            error = done.exception()
            self._answers.put(Answer(worker, call, None if error else done.result(), error))

        ref.future().add_done_callback(put)

    def put(self, answer: Answer) -> None:
        """Put an answer of another kind in; from any thread."""
        self._answers.put(answer)

    def take(self, timeout: float) -> list[Answer]:
        """All that came in, waiting for the first at most ``timeout`` seconds."""
        answers: list[Answer] = []
        try:
            answers.append(self._answers.get(timeout=timeout) if timeout > 0 else self._answers.get_nowait())
            while True:
                answers.append(self._answers.get_nowait())
        except queue.Empty:
            return answers
