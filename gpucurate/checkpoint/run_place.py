"""Where a run folder lies, and how its small files are read and written."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from gpucurate.checkpoint.lock import OwnerLock
from gpucurate.checkpoint.log import CommitLog
from gpucurate.checkpoint.own_state import RUN, is_state, refuse_foreign, refuse_overlap
from gpucurate.checkpoint.state_files import parse_state
from gpucurate.checkpoint.store import COPYING, FOLDER, LocalStore, Store
from gpucurate.disk.behind import Behind
from gpucurate.disk.files import fsync_folder, make_folder, remove_copy, remove_temporaries
from gpucurate.spec.errors import ConfigurationError, OutputInUseError
from gpucurate.spec.names import encode_name
from gpucurate.spec.storage import storage_errors

_OWNER_ALONE = 0o700


class Owner(Protocol):
    """Who owns a run folder."""

    epoch: int

    def check(self) -> None:
        """Raise a StorageError if another one has taken it over."""
        ...

    def close(self) -> None:
        """Give it up."""
        ...


class Log(Protocol):
    """Records of what is done."""

    records: list[dict[str, Any]]

    def append(self, record: dict[str, Any]) -> None:
        """Add a record."""
        ...

    def flush(self) -> None:
        """See to it that records outlive this process."""
        ...

    def sync(self) -> None:
        """Make all records durable."""
        ...

    def close(self) -> None:
        """Sync and close."""
        ...


class RunPlace(ABC):
    """The files of a run folder.

    Attributes:
        store: where outputs and the run folder's own files become final.
        path: the run folder, or copies of what is in it, on this machine.
        marks: what tells this run from those to other outputs, where the folder does not lie in its output.
    """

    store: Store
    path: Path
    marks: Mapping[str, str]

    @abstractmethod
    def refuse_strangers(self, *, is_fresh: bool) -> None:
        """Refuse an output that holds other things, and a folder for state that is none.

        Args:
            is_fresh: whether a run to another output may be forgotten.

        Raises:
            OutputInUseError: either does.
            ConfigurationError: one is a file, or they overlap.
        """

    def is_of_other(self) -> bool:
        """Whether what is recorded here is of another output; its names then say nothing of this one."""
        return False

    @abstractmethod
    def make(self) -> None:
        """Make the folders."""

    @abstractmethod
    def own(self, take_over: bool) -> Owner:
        """Become the owner."""

    @abstractmethod
    def clear(self) -> None:
        """Remove what earlier owners left unfinished; called by the owner."""

    @abstractmethod
    def forget(self) -> None:
        """Remove copies of what the store does not have any more."""

    @abstractmethod
    def open_log(self) -> Log:
        """The commit log."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A small file of the run folder; None if there is none."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write one, whole or not at all."""

    def write_together(self, files: Mapping[str, bytes]) -> None:
        """Write some, each whole or not at all, of which none relies on another."""
        for name, content in files.items():
            self.write(name, content)

    def write_later(self, name: str, content: bytes) -> None:
        """Write one as :meth:`write`, before anything that is published later."""
        self.write(name, content)

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove one."""

    @abstractmethod
    def remove_state(self) -> None:
        """Remove all that a run keeps, but for ``run.json`` and whose the folder is, durably."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Names of the files in one of its folders, relative to the run folder."""

    @abstractmethod
    def final_path(self, name: str) -> Path:
        """An output of the run folder that is final, on this machine."""

    @abstractmethod
    def keep_artefacts(self) -> None:
        """Make what was written beneath :attr:`path` outlast this machine."""

    @abstractmethod
    def end(self) -> None:
        """Remove what only the run itself needed."""

    def close(self) -> None:
        """Wait for what is still under way, whatever comes of it."""
        return


class LocalPlace(RunPlace):
    """A run folder on a disk of this machine, or one that is mounted.

    Args:
        output: folder of the output.
        folder: the run folder; ``<output>/_gpucurate`` if None.
    """

    def __init__(self, output: Path, folder: Path | None) -> None:
        self.output = output
        self.path = folder or output / FOLDER
        self.behind = Behind()
        self.files = LocalStore(output, self.path, self.behind)
        self.store = self.files
        self.mark = encode_name(str(output.resolve()))
        self.marks = {} if self.path == output / FOLDER else {"output": self.mark}

    def refuse_strangers(self, *, is_fresh: bool) -> None:
        """Look into the run folder, and into the output unless that is of the folder's run."""
        self._refuse_paths()
        if self.marks:
            refuse_foreign(self.path)
        is_known, is_of_other = (self.path / RUN).exists(), self.is_of_other()
        if is_of_other and not is_fresh:
            raise OutputInUseError(
                f"{self.path} is the state of a run to another output: {self._told()!r} then, {self.mark!r} "
                "now. Give a new or empty folder as checkpoint path, or --fresh, which forgets that run and "
                "leaves its output as it is"
            )
        if is_of_other or not is_known:
            self._refuse_output()

    def _refuse_paths(self) -> None:
        """Refuse what cannot be an output, or a folder for its state."""
        if self.output.exists() and not self.output.is_dir():
            raise ConfigurationError(f"the output {self.output} is a file; give a folder")
        if self.marks:
            refuse_overlap(self.output, self.path)

    def _refuse_output(self) -> None:
        """Refuse an output that holds anything but a run folder."""
        if self.output.exists():
            with storage_errors(self.output, "read the output"):
                there = [entry.name for entry in self.output.iterdir()]
            refuse_strange(str(self.output), there)

    def is_of_other(self) -> bool:
        """By what ``run.json`` tells; in the output itself it need tell nothing."""
        return self._told() not in ((self.mark,) if self.marks else (self.mark, None))

    def _told(self) -> str | None:
        """The output that is told of; this one before any is, and None where none is."""
        content = self.read(RUN)
        if content is None:
            return self.mark
        try:
            told: str | None = parse_state(RUN, content).get("output")
        except ValueError:
            return None
        return told

    def make(self) -> None:
        """Make output and run folder."""
        make_folder(self.output, sync_folder=self.behind.sync_folder)
        self._make_own()

    def _make_own(self) -> None:
        """Make a run folder that nobody else may look into; one that was given, and there, stays as it is."""
        make_folder(self.path, _OWNER_ALONE, self.behind.sync_folder)
        if not self.marks:
            with storage_errors(self.path):
                self.path.chmod(_OWNER_ALONE)  # an earlier version may have made it

    def own(self, take_over: bool) -> Owner:
        """Lock the run folder."""
        owner = OwnerLock(self.path, take_over=take_over, sync_folder=self.behind.sync_folder)
        self.files.check_owner = owner.check
        return owner

    def clear(self) -> None:
        """Remove attempts, half of a copy, and temporary files."""
        remove_copy(self.path / COPYING)
        shutil.rmtree(self.path / "attempts", ignore_errors=True)
        for folder in (self.path, self.path / "phases"):  # in the thread, which has some of its own
            self.behind.later(partial(self._remove_temporaries, folder))

    def _remove_temporaries(self, folder: Path) -> None:
        self.files.check_owner()
        remove_temporaries(folder)

    def forget(self) -> None:
        """There are none."""

    def open_log(self) -> Log:
        """One file."""
        return CommitLog(self.path / "commit.log", self.behind, self.files.check_owner)

    def read(self, name: str) -> bytes | None:
        """Read a file."""
        if self.files.size(f"{FOLDER}/{name}") is None:
            return None
        with self.files.open(f"{FOLDER}/{name}") as file, storage_errors(self.path / name, "read"):
            return file.read()

    def write(self, name: str, content: bytes) -> None:
        """Write by a temporary name, fsync, rename."""
        self.files.write(f"{FOLDER}/{name}", content)

    def write_together(self, files: Mapping[str, bytes]) -> None:
        """Sync their folder once."""
        self.files.write_together({f"{FOLDER}/{name}": content for name, content in files.items()})

    def write_later(self, name: str, content: bytes) -> None:
        """In a thread."""
        self.files.write_later(f"{FOLDER}/{name}", content)

    def remove(self, name: str) -> None:
        """Unlink a file, and sync its folder."""
        self.files.settle()
        self.files.check_owner()
        path = self.path / name
        with storage_errors(path, "remove"):
            path.unlink(missing_ok=True)
            if path.parent.exists():  # else it is gone with all that was in it
                fsync_folder(path.parent)

    def remove_state(self) -> None:
        """Folders with all that is in them; what a run has no such name for stays."""
        self.files.settle()
        with storage_errors(self.path, "empty"):
            for entry in [entry for entry in self.path.iterdir() if is_state(entry.name)]:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
            fsync_folder(self.path)

    def names(self, folder: str) -> list[str]:
        """Those that are there."""
        return sorted(f"{folder}/{path.name}" for path in (self.path / folder).glob("*"))

    def final_path(self, name: str) -> Path:
        """Where it lies."""
        return self.files.path(name)

    def keep_artefacts(self) -> None:
        """They are where they should be."""

    def end(self) -> None:
        """Remove scratch and attempts."""
        self.files.check_owner()
        for folder in (self.path / "scratch", self.path / "attempts"):
            shutil.rmtree(folder, ignore_errors=True)
        remove_copy(self.path / COPYING)

    def close(self) -> None:
        """End the thread."""
        self.behind.close()


def refuse_strange(shown: str, there: list[str]) -> None:
    """Refuse an output that holds something besides a run folder that nothing can be told from.

    Args:
        shown: the output, for the message.
        there: what it holds.

    Raises:
        OutputInUseError: it does.
    """
    strange = [name for name in there if name != FOLDER]
    if strange:
        lost = f"; {FOLDER}/ has no run.json that tells which of it a run wrote" if FOLDER in there else ""
        raise OutputInUseError(
            f"the output {shown} is not empty (it holds {strange[0]!r}"
            + (f" and {len(strange) - 1} more" if len(strange) > 1 else "")
            + f"{lost}): give a new or empty folder"
        )
