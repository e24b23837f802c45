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
from gpucurate.checkpoint.store import FOLDER, LocalStore, Store
from gpucurate.disk.behind import Behind
from gpucurate.disk.files import SyncFolder, fsync_folder, make_folder, remove_temporaries
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, StorageError
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
    def refuse_strangers(self) -> None:
        """Refuse an output that holds other things.

        Raises:
            OutputInUseError: it does.
            ConfigurationError: it is a file.
        """

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
        is_inside = self.path == output / FOLDER
        self.marks = {} if is_inside else {"output": encode_name(str(output.resolve()))}

    def refuse_strangers(self) -> None:
        """Look into the output, unless the run folder is there."""
        if self.output.exists() and not self.output.is_dir():
            raise ConfigurationError(f"the output {self.output} is a file; give a folder")
        if (self.path / "run.json").exists() or not self.output.exists():
            return
        try:
            there = [entry.name for entry in self.output.iterdir() if entry.name != FOLDER]
        except OSError as error:
            raise StorageError(f"cannot read the output {self.output}: {error.strerror}") from error
        refuse_strange(str(self.output), there)

    def make(self) -> None:
        """Make output and run folder."""
        make_folder(self.output, sync_folder=self.behind.sync_folder)
        make_own(self.path, self.behind.sync_folder)

    def own(self, take_over: bool) -> Owner:
        """Lock the run folder."""
        owner = OwnerLock(self.path, take_over=take_over, sync_folder=self.behind.sync_folder)
        self.files.check_owner = owner.check
        return owner

    def clear(self) -> None:
        """Remove attempts, and temporary files."""
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
            fsync_folder(path.parent)

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

    def close(self) -> None:
        """End the thread."""
        self.behind.close()


def make_own(folder: Path, sync_folder: SyncFolder) -> None:
    """Make a run folder that nobody else may look into, or take an older one's permissions away."""
    make_folder(folder, _OWNER_ALONE, sync_folder)
    with storage_errors(folder):
        folder.chmod(_OWNER_ALONE)  # also one that was there


def refuse_strange(shown: str, there: list[str]) -> None:
    """Refuse an output that holds something, and no run folder.

    Raises:
        OutputInUseError: it does.
    """
    if there:
        raise OutputInUseError(
            f"the output {shown} is not empty (it holds {there[0]!r}"
            + (f" and {len(there) - 1} more" if len(there) > 1 else "")
            + "): give a new or empty folder"
        )
