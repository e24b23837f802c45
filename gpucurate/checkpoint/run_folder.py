"""The folder of a run: ``<output>/_gpucurate/``.

    run.json            what the run is: fingerprint and the values it was taken of
    lock, epoch         who owns it, and for the how-manieth time
    phases/NAME.json    plan of a phase, its listing of the input
    commit.log          one record a finished unit
    events/, decisions/ what happened to the scheduler, and what it decided; one file a phase and owner
    attempts/EPOCH/     files being written
    scratch/            what one phase leaves for the next; removed at the end
    rejects/            rows that could not be read, and why
    clusters/           what deduplication found
    report.json         books, figures, times
    manifest.json       every output file with rows, bytes and checksum
    _SUCCESS            written last

The order of a commit: write, fsync, rename, record. A file under its final name without
a record is written again and replaced.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from gpucurate.checkpoint.journal import Journal
from gpucurate.checkpoint.lock import OwnerLock
from gpucurate.checkpoint.log import CommitLog
from gpucurate.checkpoint.store import FOLDER, LocalStore, Store
from gpucurate.disk.files import PRIVATE_FOLDER, fsync_folder, make_folder, remove_temporaries, write_atomic
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, StorageError
from gpucurate.spec.names import decode_name, encode_name
from gpucurate.spec.storage import storage_errors

FORMAT_VERSION = 1


class RunFolder:
    """The state of one run on disk, owned by this process while it is open.

    Args:
        output: the folder that the run writes to; made if absent.
        kind: what kind of run, in words ("dedup fuzzy").
        decides: everything that changes results; another run's folder is refused by it.
        folder: where the state lies; ``<output>/_gpucurate`` if not given.

    Raises:
        OutputInUseError: the output holds files of something else, another run's state,
            or is owned by a running process.
        StorageError: the folder cannot be made.
    """

    def __init__(
        self, output: Path, kind: str, decides: Mapping[str, Any], folder: Path | None = None
    ) -> None:
        self.output = output
        self.path = folder or output / FOLDER
        self.store: Store = LocalStore(output, self.path)
        if output.exists() and not output.is_dir():
            raise ConfigurationError(f"the output {output} is a file; give a folder")
        self._refuse_strangers()
        make_folder(output)
        make_folder(self.path, mode=PRIVATE_FOLDER)
        with storage_errors(self.path):
            self.path.chmod(PRIVATE_FOLDER)  # also one that was there
        self._lock = OwnerLock(self.path)
        try:
            self._identify(kind, decides)
            self._clear_attempts()
            self.log = CommitLog(self.path / "commit.log")
        except BaseException:
            self._lock.close()
            raise

    @property
    def epoch(self) -> int:
        """Number of this owner, from 1."""
        return self._lock.epoch

    @property
    def attempts(self) -> Path:
        """Where this owner's workers write."""
        return self.path / "attempts" / str(self.epoch)

    @property
    def scratch(self) -> Path:
        """What one phase leaves for the next."""
        return self.path / "scratch"

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended well."""
        return (self.path / "_SUCCESS").exists()

    def is_whole(self) -> bool:
        """Whether each file of the manifest is there, as long as it was written.

        Raises:
            StorageError: the manifest cannot be read, or is damaged.
        """
        manifest = self.read_json("manifest.json")
        return manifest is not None and all(
            self.store.size(decode_name(entry["name"])) == entry["bytes"] for entry in manifest["files"]
        )

    def final_path(self, name: str) -> Path:
        """Where an output goes: names under ``_gpucurate/`` belong to the run folder.

        Raises:
            StorageError: the name points outside the output.
        """
        return LocalStore(self.output, self.path).path(name)

    def write_json(self, name: str, values: Any) -> None:
        """Write a small file of the run folder, whole or not at all."""
        path = self.path / name
        make_folder(path.parent)
        options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
        write_atomic(path, orjson.dumps(values, option=options))

    def journal(self, kind: str, phase: str) -> Journal:
        """A file of JSON lines of this owner about a phase, such as its events.

        Raises:
            StorageError: it cannot be made.
        """
        return Journal(self.path / kind / f"{phase}-{self.epoch:03d}.jsonl")

    def read_json(self, name: str) -> Any:
        """A file that :meth:`write_json` wrote, or None.

        Raises:
            StorageError: it cannot be read, or is damaged.
        """
        path = self.path / name
        try:
            return orjson.loads(path.read_bytes()) if path.exists() else None
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise StorageError(
                f"{path} is damaged ({error}): give another output, or remove that one"
            ) from error

    def finish(self) -> None:
        """Say that the run is whole, and remove what only the run itself needed."""
        self.log.sync()
        if not self.is_finished:
            write_atomic(self.path / "_SUCCESS", b"")
        for folder in (self.scratch, self.path / "attempts"):
            shutil.rmtree(folder, ignore_errors=True)

    def reopen(self) -> None:
        """Say that the run is not whole after all: there is something left to do."""
        if self.is_finished:
            with storage_errors(self.path):
                (self.path / "_SUCCESS").unlink()
                fsync_folder(self.path)

    def close(self) -> None:
        """Close the log and give the folder up."""
        try:
            self.log.close()
        finally:
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_strangers(self) -> None:
        if (self.path / "run.json").exists() or not self.output.exists():
            return
        try:
            there = [entry.name for entry in self.output.iterdir() if entry.name != FOLDER]
        except OSError as error:
            raise StorageError(f"cannot read the output {self.output}: {error.strerror}") from error
        if there:
            raise OutputInUseError(
                f"the output {self.output} is not empty (it holds {there[0]!r}"
                + (f" and {len(there) - 1} more" if len(there) > 1 else "")
                + "): give a new or empty folder"
            )

    def _identify(self, kind: str, decides: Mapping[str, Any]) -> None:
        given = {"format": FORMAT_VERSION, "kind": kind, "decides": orjson.loads(orjson.dumps(dict(decides)))}
        if self.path != self.output / FOLDER:  # what was done says nothing of another output
            given["output"] = encode_name(str(self.output.resolve()))
        before = self.read_json("run.json")
        if before is None:
            self.write_json("run.json", given)
        elif before != given:
            raise OutputInUseError(
                f"{self.path} holds another run, which differs in {'; '.join(differences(before, given))}. "
                "Give another output, or remove that one"
            )

    def _clear_attempts(self) -> None:
        shutil.rmtree(self.path / "attempts", ignore_errors=True)
        for folder in (self.path, self.path / "phases"):
            remove_temporaries(folder)
        make_folder(self.attempts)


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The values in which two nested mappings differ, as sentences, at most eight."""
    found: list[str] = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}: {_short(old)} then, {_short(new)} now")
    return found[:8]


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:20]}...{text[-37:]}"
