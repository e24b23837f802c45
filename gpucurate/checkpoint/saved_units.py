"""The folder of a checkpoint between stages: units that later runs need not do from the start.

    checkpoint.json     what the stages before it are
    lock, epoch         which run uses it, and for the how-manieth time
    commit.log          one record a unit: its files, and what the stages before it counted
    units/              batches, and what those stages wrote aside or rejected
    attempts/EPOCH/     files being written

A unit is known by what it reads and by the stages before the checkpoint. The order is that of the run
folder: write, fsync, rename, record. It is a folder apart: what is removed here costs time, and no output.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from gpucurate.checkpoint.changes import differences
from gpucurate.checkpoint.lock import OwnerLock
from gpucurate.checkpoint.log import CommitLog, read_log, whole_records
from gpucurate.checkpoint.own_state import is_beginning
from gpucurate.checkpoint.pending import Pending
from gpucurate.checkpoint.phase import from_record, to_record
from gpucurate.checkpoint.resume import Resume
from gpucurate.disk.crash import reach
from gpucurate.disk.files import copy_file, make_folder, publish, remove_temporaries, write_atomic
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, StorageError
from gpucurate.spec.names import decode_name, encode_name
from gpucurate.spec.storage import storage_errors
from gpucurate.spec.unit import OutputFile, Unit, UnitResult

FORMAT_VERSION = 1
_IDENTITY = "checkpoint.json"


class SavedUnits:
    """What a checkpoint holds, owned by this process while it is open.

    Args:
        path: the folder; made if absent.
        decides: everything that decides what reaches the checkpoint, but the input.
        resume: ``fresh`` removes what is recorded as its own; ``changed`` is as ``auto``.

    Raises:
        OutputInUseError: it holds something else, or what other stages made, or another run uses it.
        StorageError: it cannot be made or read.
    """

    def __init__(self, path: Path, decides: Mapping[str, Any], resume: Resume = Resume()) -> None:  # noqa: B008 - frozen
        self.path = path
        self._names: dict[str, str] = {}
        self._refuse_strangers()
        make_folder(path, mode=0o700)
        make_folder(path / "units")
        self._lock = OwnerLock(path, take_over=resume.take_over)
        try:
            if resume.mode == "fresh":
                self._wipe()
            self._identify(decides)
            shutil.rmtree(path / "attempts", ignore_errors=True)
            remove_temporaries(path)
            remove_temporaries(path / "units")
            make_folder(self.attempts)
            self._log = CommitLog(path / "commit.log", check_owner=self._lock.check)
            self._records = {record["unit"]: record for record in self._log.records}
        except BaseException:
            self._lock.close()
            raise

    @property
    def attempts(self) -> Path:
        """Where workers write."""
        return self.path / "attempts" / str(self._lock.epoch)

    @property
    def inputs(self) -> set[str]:
        """Names of all files of which units were ever saved here."""
        return {decode_name(entry[0]) for record in self._records.values() for entry in record["ranges"]}

    def take(self, units: Sequence[Unit], names: Sequence[str]) -> dict[str, UnitResult]:
        """Which units of a run are here whole, and what was made of them.

        Args:
            units: of the run.
            names: what each is called by the stages before the checkpoint.

        Returns:
            By the unit's own name: what the stages before made of it, with the files that it begins from as
            ``outputs``, and what has to be put beside the output as ``saved``.
        """
        self._names = {unit.id: name for unit, name in zip(units, names, strict=True)}
        found = {unit.id: self._whole(name) for unit, name in zip(units, names, strict=True)}
        return {unit: result for unit, result in found.items() if result is not None}

    def _whole(self, name: str) -> UnitResult | None:
        record = self._records.get(name)
        if record is None:
            return None
        result = from_record(record)
        aside = [decode_name(given) for given in record["aside"]]
        files = [self._file(output) for output in result.outputs]
        if None in files:
            return None
        batches = [file for file in files if file is not None]
        cut = len(batches) - len(aside)
        result.saved = [replace(file, name=given) for given, file in zip(aside, batches[cut:], strict=True)]
        result.outputs = batches[:cut]
        return result

    def _file(self, output: OutputFile) -> OutputFile | None:
        """The file as it lies here; None if it is not there, or not as long as it was."""
        path = self.path / "units" / output.name
        with storage_errors(path, "look at"):
            there = path.is_file() and path.stat().st_size == output.bytes
        return replace(output, attempt=str(path)) if there else None

    def save(self, saved: Sequence[tuple[Unit, UnitResult]]) -> None:
        """Make units final and record them.

        Args:
            saved: units, with what the stages up to the checkpoint made of each: ``saved`` are its batches,
                ``outputs`` what else they wrote, which is copied.

        Raises:
            StorageError: disk full, no permission, device error.
        """
        records, moves = [], []
        for unit, result in saved:
            name = self._names[unit.id]
            files = [replace(output, name=f"{name}-{output.name}") for output in result.saved]
            aside = [self._copied(output, f"{name}-aside-{n:04d}") for n, output in enumerate(result.outputs)]
            moves += [(Path(file.attempt), self.path / "units" / file.name) for file in [*files, *aside]]
            whole = UnitResult(name, [*files, *aside], result.books, result.stages, result.tallies)
            whole.input_bytes, whole.reduced = result.input_bytes, result.reduced
            records.append(to_record("checkpoint", Unit(name, unit.index, (), 0), whole))
            records[-1]["aside"] = [encode_name(output.name) for output in result.outputs]
        reach("saved.before_publish")
        self._lock.check()
        publish(moves)
        for record in records:
            self._log.append(record)
            self._records[record["unit"]] = record
        self._log.sync()
        reach("saved.after_record")

    def _copied(self, output: OutputFile, name: str) -> OutputFile:
        pending = Pending.of(output)  # of an output in a store, the file that was sent there
        copy_file(Path(output.attempt) if pending is None else pending.local, self.attempts / name)
        return replace(output, name=name, attempt=str(self.attempts / name))

    def close(self) -> None:
        """Remove what was not finished, and give the folder up."""
        try:
            shutil.rmtree(self.attempts, ignore_errors=True)
            with suppress(OSError):  # of an owner that has taken over, or gone by its hand
                (self.path / "attempts").rmdir()
            self._log.close()
        finally:
            self._lock.close()

    def _refuse_strangers(self) -> None:
        path = self.path
        if path.exists() and not path.is_dir():
            raise ConfigurationError(f"the checkpoint {path} is a file: give a folder")
        with storage_errors(path, "read"):
            there = sorted(entry.name for entry in path.iterdir()) if path.exists() else []
        strange = [name for name in there if not self._is_beginning(path / name)]
        if strange and _IDENTITY not in there:
            raise OutputInUseError(
                f"the checkpoint {path} is not empty and is none of gpucurate's (it holds {strange[0]!r}): "
                "give a new or empty folder"
            )

    @staticmethod
    def _is_beginning(path: Path) -> bool:
        """Whether this is what is left of a run that is killed before the folder has its identity."""
        if path.name != "units":
            return is_beginning(path, _IDENTITY)
        with storage_errors(path, "read"):
            return path.is_dir() and not any(path.iterdir())

    def _wipe(self) -> None:
        """Remove the batches that are recorded, and the state; whatever else is in the folder stays.

        The log goes behind the batches that it names, and last what tells that the folder is a checkpoint.
        """
        log = self.path / "commit.log"
        records = whole_records(log)[0] if log.exists() else []
        names = {decode_name(file[0]) for record in records for file in record["files"]}
        with storage_errors(self.path, "clean"):
            for name in sorted(names):
                if Path(name).name == name:  # as we name them: nothing that lies elsewhere
                    (self.path / "units" / name).unlink(missing_ok=True)
            log.unlink(missing_ok=True)
            (self.path / _IDENTITY).unlink(missing_ok=True)

    def _identify(self, decides: Mapping[str, Any]) -> None:
        if found := _differences(self.path, decides):
            raise OutputInUseError(
                f"the checkpoint {self.path} was made by other stages: {'; '.join(found)}. Give another "
                "folder, or remove that one"
            )
        if not (self.path / _IDENTITY).exists():
            content = orjson.dumps(_identity(decides), option=orjson.OPT_INDENT_2)
            write_atomic(self.path / _IDENTITY, content)


def _identity(decides: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": FORMAT_VERSION, "decides": orjson.loads(orjson.dumps(dict(decides)))}


def _differences(folder: Path, decides: Mapping[str, Any]) -> list[str]:
    """In what a checkpoint differs from what these stages would make; nothing where there is none."""
    path = folder / _IDENTITY
    if not path.exists():
        return []
    with storage_errors(path, "read"):
        raw = path.read_bytes()
    try:
        return differences(orjson.loads(raw), _identity(decides))
    except ValueError as error:
        raise StorageError(f'{path} is damaged ({error}): begin anew with resume="fresh"') from error


def saved_names(folder: Path, decides: Mapping[str, Any]) -> set[str] | list[str]:
    """Units that a checkpoint has records of; or a list of how the stages differ. Locks and writes nothing.

    Raises:
        StorageError: it cannot be read.
    """
    if found := _differences(folder, decides):
        return found
    log = folder / "commit.log"
    return {record["unit"] for record in read_log(log)} if log.exists() else set()
