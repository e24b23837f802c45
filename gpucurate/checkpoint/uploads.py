"""What a worker does with a finished attempt where outputs go to a store."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path

from gpucurate.checkpoint.object_store import ObjectStore, is_of_state
from gpucurate.checkpoint.pending import Pending
from gpucurate.checkpoint.split_store import SplitStore
from gpucurate.spec.unit import OutputFile


@dataclass(frozen=True, slots=True)
class Uploads:
    """Brings attempts into a store, where the driver makes them visible.

    Attributes:
        store: where to.
        host: of the driver, who takes what belongs to the run folder from the worker's disk.
        keeps: whether files stay on the worker's disk until they are visible in the store, for somebody who
            copies them before.
    """

    store: ObjectStore
    host: str = field(default_factory=socket.gethostname)
    keeps: bool = False

    def bring(self, output: OutputFile) -> OutputFile:
        """Upload an attempt; the same output, with what the driver has to know of it.

        Raises:
            StorageError: not possible.
        """
        is_state = is_of_state(output.name)
        if is_state and self.store.mirror is None:
            return output  # the run folder lies on a disk, and so does this
        brought = self.store.upload(output)
        if not (is_state or self.keeps) or self.host != socket.gethostname():
            Path(output.attempt).unlink(missing_ok=True)
        return brought

    def drop(self, output: OutputFile) -> None:
        """Take back what was brought.

        Raises:
            StorageError: not possible.
        """
        if Pending.of(output) is not None:
            self.store.abandon(output)


def uploads_to(store: object) -> Uploads | None:
    """What workers have to do for a store; None where their files lie where the driver finds them."""
    if isinstance(store, SplitStore):
        store = store.outputs
    if not isinstance(store, ObjectStore) or store.url.startswith("memory://"):
        return None  # memory is the driver's own: it uploads by itself
    return Uploads(store)
