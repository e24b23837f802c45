"""What is kept of a worker that was killed because it did not go on: where it was."""

from __future__ import annotations

from gpucurate.backends.stacks import innermost
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.store import FOLDER


def keep_stacks(phase: Phase | None, worker: int, why: str, stacks: str) -> str:
    """Put the stacks of a worker into the run folder, as ``stalls/PHASE-EPOCH-WORKER.txt``.

    Args:
        phase: of the run; None for one that leaves nothing on disk.
        worker: its number.
        why: it is killed, in a sentence.
        stacks: of its threads; empty where they could not be had.

    Returns:
        The sentence, with where the worker was and the name of the file.

    Raises:
        StorageError: it cannot be written.
    """
    if not stacks or phase is None:
        return why
    name = f"{FOLDER}/stalls/{phase.name}-{phase.folder.epoch:03d}-{worker}.txt"
    phase.folder.store.write(name, f"worker {worker}: {why}\n\n{stacks}".encode())
    at = innermost(stacks)
    where = f"it was at {at}, and its stacks are" if at else "what is known of its stacks is"
    return f"{why}; {where} in {name}"
