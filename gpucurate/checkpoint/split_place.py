"""A run folder on a disk of this machine, whose outputs go to an object store."""

from __future__ import annotations

from pathlib import Path

from gpucurate.checkpoint.run_place import LocalPlace, Owner, refuse_strange
from gpucurate.checkpoint.split_store import SplitStore
from gpucurate.checkpoint.store import LocalStore
from gpucurate.checkpoint.stores import store_of
from gpucurate.disk.behind import Behind
from gpucurate.io.urls import redact
from gpucurate.spec.place import Url


class SplitPlace(LocalPlace):
    """A run folder that was given a place of its own.

    Args:
        output: prefix of the store.
        folder: the run folder.
    """

    def __init__(self, output: Url, folder: Path) -> None:
        self.path = folder
        self.behind = Behind()
        self.files = LocalStore(folder, folder, self.behind)
        self.objects = store_of(output, None)
        self.store = SplitStore(self.objects, self.files)
        self.mark = redact(str(output))
        self.marks = {"output": self.mark}

    def own(self, take_over: bool) -> Owner:
        """Lock the run folder; nothing becomes visible in the store either once that is lost."""
        owner = super().own(take_over)
        self.objects.check_owner = owner.check
        return owner

    def _refuse_paths(self) -> None:
        """A prefix and a folder cannot overlap."""

    def _refuse_output(self) -> None:
        """List the prefix."""
        refuse_strange(
            self.objects.shown, sorted({name.split("/", 1)[0] for name, _ in self.objects.entries()})
        )

    def make(self) -> None:
        """Make the run folder."""
        self._make_own()

    def clear(self) -> None:
        """End uploads too."""
        self.objects.end_uploads()
        super().clear()

    def end(self) -> None:
        """And again, those of workers that were given up."""
        self.objects.end_uploads()
        super().end()
