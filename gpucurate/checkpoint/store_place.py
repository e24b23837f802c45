"""A run folder in an object store, with a working folder on this machine.

Stages and phases read and write by path. So what they leave lies in the working folder, and in the store
too: units' files from their commit on, small files at once, artefacts before the run is said to be whole.
A working folder that another machine has got ahead of is emptied; what is missing in it is fetched.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gpucurate.checkpoint.at_once import at_once
from gpucurate.checkpoint.object_store import ObjectStore
from gpucurate.checkpoint.own_state import RUN, is_state
from gpucurate.checkpoint.run_place import Log, Owner, RunPlace, refuse_strange
from gpucurate.checkpoint.store import FOLDER, LocalStore
from gpucurate.checkpoint.store_log import StoreLog
from gpucurate.checkpoint.store_owner import StoreOwner
from gpucurate.checkpoint.stores import store_of
from gpucurate.checkpoint.working_folder import make_private, working_folder
from gpucurate.disk.crash import reach
from gpucurate.disk.files import make_folder, remove_temporaries, write_atomic
from gpucurate.spec.place import Url
from gpucurate.spec.storage import storage_errors

FETCHES = 8
"""Files that are fetched, or put, at a time."""

OWNER = "owner"
REWRITTEN = ("clusters", "edges")
"""Artefacts of which each owner writes all: what it did not write is of an earlier one."""

OF_THIS_MACHINE = ("attempts", "scratch")
"""What is no artefact: units' own files are put with their commit."""


class StorePlace(RunPlace):
    """A run folder beneath the prefix that its run writes to.

    Args:
        output: the prefix.
    """

    marks: dict[str, str] = {}

    def __init__(self, output: Url) -> None:
        self.path = working_folder(output)
        self.mirror = LocalStore(self.path / "output", self.path)  # nothing goes to the output here
        self.files: ObjectStore = store_of(output, self.mirror)
        self.store = self.files
        self._put: dict[str, tuple[int, int]] = {}
        self._epoch = 0

    def refuse_strangers(self, *, is_fresh: bool) -> None:
        """List the prefix, unless there is a run folder, which is of this output."""
        names = [name for name, _ in self.files.entries(f"{FOLDER}/{RUN}")]
        if not names:
            refuse_strange(
                self.files.shown, sorted({name.split("/", 1)[0] for name, _ in self.files.entries()})
            )

    def make(self) -> None:
        """Make the working folder; a store has none to make."""
        make_private(self.path)

    def own(self, take_over: bool) -> Owner:
        """Take the next epoch."""
        owner = StoreOwner(self.files, take_over=take_over)
        self.files.check_owner, self._epoch = owner.check, owner.epoch
        try:
            self._catch_up(owner)
        except BaseException:
            owner.close()
            raise
        return owner

    def _catch_up(self, owner: StoreOwner) -> None:
        """Empty the working folder unless the owner before worked in it too."""
        known = self.path / OWNER
        if not known.exists() or known.read_text() != owner.before:
            self._empty()
        write_atomic(known, owner.nonce.encode())

    def clear(self) -> None:
        """End uploads, which an earlier owner may still mean to complete; remove attempts here."""
        self.files.end_uploads()
        shutil.rmtree(self.path / "attempts", ignore_errors=True)
        for folder in (self.path, self.path / "phases"):
            remove_temporaries(folder)

    def forget(self) -> None:
        """Empty the working folder, but for whose it is."""
        self._empty(OWNER)

    def _empty(self, *kept: str) -> None:
        with storage_errors(self.path, "empty"):
            for entry in self.path.iterdir():
                if entry.name not in kept:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def open_log(self) -> Log:
        """One object a record."""
        return StoreLog(self.files, self._epoch)

    def read(self, name: str) -> bytes | None:
        """Read it from the store."""
        return self.files.read_whole(f"{FOLDER}/{name}")

    def write(self, name: str, content: bytes) -> None:
        """Put it, then write it here too."""
        self.files.write(f"{FOLDER}/{name}", content)
        path = self.path / name
        make_folder(path.parent)
        write_atomic(path, content)
        self._put[name] = _stamp(path)

    def remove(self, name: str) -> None:
        """Delete it, in the store first."""
        self.files.remove(f"{FOLDER}/{name}")
        (self.path / name).unlink(missing_ok=True)

    def remove_state(self) -> None:
        """Delete objects; copies of them are forgotten."""
        names = [name for name, _ in self.files.entries(f"{FOLDER}/")]
        self.files.remove_all(name for name in names if is_state(name.split("/")[1]))

    def names(self, folder: str) -> list[str]:
        """Those in the store."""
        return [name.removeprefix(f"{FOLDER}/") for name in self.files.names(f"{FOLDER}/{folder}/")]

    def final_path(self, name: str) -> Path:
        """Where it lies here; fetched, with all of its folder, if it is not."""
        path = self.mirror.path(name)
        if not path.exists() and self.files.size(name) is not None:
            self.fetch(name.rpartition("/")[0])
        return path

    def fetch(self, folder: str) -> None:
        """Fetch what is missing here of a folder; names begin with that of the run folder."""
        missing = [name for name in self.files.names(f"{folder}/") if not self.mirror.path(name).exists()]
        at_once(lambda name: self.files.fetch(name, self.mirror.path(name)), missing, FETCHES)

    def keep_artefacts(self) -> None:
        """Put what is new or changed here, and delete what is here no more of a folder that is."""
        stamps = {name: _stamp(self.path / name) for name in self._artefacts()}
        changed = [name for name, stamp in stamps.items() if self._put.get(name) != stamp]
        at_once(self._keep, changed, FETCHES)
        self._put = stamps
        for folder in REWRITTEN:
            for name in set(self.names(folder)) - set(stamps) if (self.path / folder).exists() else ():
                self.files.remove(f"{FOLDER}/{name}")

    def _keep(self, name: str) -> None:
        reach("finish.before_artefact")
        self.files.put_file(f"{FOLDER}/{name}", self.path / name)

    def _artefacts(self) -> list[str]:
        """Files here that belong into the store."""
        found = []
        for above, folders, files in os.walk(self.path):
            below = os.path.relpath(above, self.path)
            if below == ".":
                folders[:] = [name for name in folders if name not in OF_THIS_MACHINE]
            whole = [name for name in files if not name.startswith(".") and (name != OWNER or below != ".")]
            found += [name if below == "." else f"{below}/{name}" for name in whole]
        return found

    def end(self) -> None:
        """Delete scratch in the store and here, and uploads that nobody completed."""
        self.files.end_uploads()
        at_once(self.files.remove, self.files.names(f"{FOLDER}/scratch/"))
        for folder in OF_THIS_MACHINE:
            shutil.rmtree(self.path / folder, ignore_errors=True)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
