"""The folder of a run: ``<output>/_gpucurate/``.

    run.json            what the run is: fingerprint and the values it was taken of
    lock, epoch         who owns it, and for the how-manieth time
    listing-*.jsonl.zst the input: path, size, time or entity tag of every file
    phases/NAME.json    plan of a phase
    commit.log          one record a finished unit
    events/, decisions/ what happened to the scheduler, and what it decided; one file a phase and owner
    attempts/EPOCH/     files being written
    scratch/            what one phase leaves for the next; removed at the end
    rejects/            rows that could not be read, and why
    clusters/           what deduplication found
    report.json         books, figures, times
    manifest.json       every output file with rows, bytes and checksum
    _SUCCESS            written last: what is there, with sizes and checksums

The order of a commit: write, fsync, rename, record. A file under its final name without
a record is written again and replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from gpucurate.checkpoint.identity import Identity
from gpucurate.checkpoint.journal import Journal
from gpucurate.checkpoint.ledger import Ledger, gone_record
from gpucurate.checkpoint.pending import Pending
from gpucurate.checkpoint.resume import Resume
from gpucurate.checkpoint.run_place import LocalPlace, RunPlace
from gpucurate.checkpoint.seal import LOG, SUCCESS, broken, seal_of, sealed
from gpucurate.checkpoint.state_files import parse_state, plan_name
from gpucurate.checkpoint.store import FOLDER, Store
from gpucurate.checkpoint.uploads import Uploads, uploads_to
from gpucurate.checkpoint.wipe import wipe
from gpucurate.disk.crash import reach
from gpucurate.disk.files import make_passing_folder
from gpucurate.memory.uncollected import uncollected
from gpucurate.spec.errors import GpucurateError, StorageError
from gpucurate.spec.names import decode_name
from gpucurate.spec.place import Place, Url
from gpucurate.spec.storage import storage_errors
from gpucurate.spec.unit import OutputFile

_READABLE = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE


class RunFolder:
    """The state of one run on disk, owned by this process while it is open.

    Args:
        output: the folder that the run writes to, made if absent, or the prefix of a store.
        kind: what kind of run, in words ("dedup fuzzy").
        decides: everything that changes results; another run's folder is refused by it.
        folder: where the state lies; ``<output>/_gpucurate`` if not given.
        resume: what becomes of an earlier run.

    Attributes:
        resume: as above.
        identity: what the run is.
        ledger: which of its records stand.
        opened: names of the phases that this owner has gone through.

    Raises:
        OutputInUseError: the output holds files of something else, another run's state,
            or is owned by a running process.
        StorageError: the folder cannot be made.
    """

    def __init__(
        self,
        output: Place,
        kind: str,
        decides: Mapping[str, Any],
        folder: Path | None = None,
        resume: Resume = Resume(),  # noqa: B008 - frozen
    ) -> None:
        self.output = output
        self.resume = resume
        self.opened: set[str] = set()
        self._place = _place(output, folder)
        self.path = self._place.path
        self.store: Store = self._place.store
        self._place.refuse_strangers(is_fresh=resume.mode == "fresh")
        reach("folder.before_make")
        self._place.make()
        reach("folder.before_lock")
        self._has_report = self._was_whole = False
        with ExitStack() as opened:
            opened.callback(self._place.close)
            self._lock = self._place.own(resume.take_over)
            opened.callback(self._lock.close)
            opened.callback(self._place.close)  # before the lock: its thread may still be writing
            if resume.mode == "fresh":
                wipe(self._place)
                self._place.forget()
            self.identity = Identity(self, resume.mode, kind, decides, self._place.marks)
            reach("folder.after_identify")
            self._clear_attempts()
            with uncollected():
                self.log = self._place.open_log()
                opened.callback(self.log.close)
                self.ledger = Ledger(self.log.records)
            opened.pop_all()

    @property
    def epoch(self) -> int:
        """Number of this owner, from 1."""
        return self._lock.epoch

    @property
    def attempts(self) -> Path:
        """Where this owner's workers write."""
        return self.path / "attempts" / str(self.epoch)

    def check_owner(self) -> None:
        """See whether the folder is still this process's.

        Raises:
            StorageError: another run has taken it over.
        """
        self._lock.check()

    def writable(self, name: str) -> Path:
        """Where to write something of the run folder by path, if it is still this process's.

        Raises:
            StorageError: another run has taken it over.
        """
        self.check_owner()
        return self.path / name

    @property
    def uploads(self) -> Uploads | None:
        """What workers do with finished attempts; None where those are renamed and nothing else."""
        return uploads_to(self.store)

    def discard(self, outputs: Sequence[OutputFile]) -> None:
        """Remove attempts that do not count, which would lie there until the run ends.

        Raises:
            StorageError: not possible.
        """
        for output in outputs:
            pending, uploads = Pending.of(output), self.uploads
            if pending is None:
                with storage_errors(Path(output.attempt), "remove"):
                    Path(output.attempt).unlink(missing_ok=True)
            elif uploads is not None:
                uploads.drop(output)

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended well."""
        return self.store.size(f"{FOLDER}/{SUCCESS}") is not None

    def reopen_unless_whole(self) -> None:
        """Of a run that has finished, see that what it left is there, as long as it was; else it goes on.

        What of the run folder has another size is removed first: it is made again. Contents are not read.

        Raises:
            StorageError: a small file cannot be read, or is damaged though it is as long as it was.
        """
        if self._was_whole or not self.is_finished:
            return
        damaged = self._damaged()
        if damaged is None and self._has_outputs():
            self._was_whole = True
            return
        for name in damaged or ():
            if name not in (LOG, SUCCESS):  # of the log every line that is whole counts
                self._place.remove(name)
        self.reopen()  # last: what was not removed before a crash is found again

    def _damaged(self) -> list[str] | None:
        """What of the run folder is gone or has another size; None if nothing is."""
        try:
            names = broken(self._place, seal_of(self._place.read(SUCCESS) or b""))
        except ValueError:  # it will be written again
            return [SUCCESS]
        needed = ["report.json", "manifest.json", *map(plan_name, self.ledger.phases())]
        names += [name for name in needed if self.store.size(f"{FOLDER}/{name}") is None]
        return names or None

    def _has_outputs(self) -> bool:
        """Whether all files of the manifest are there, and all units recorded that write any."""
        manifest = self.read_json("manifest.json")
        return all(
            self.store.size(decode_name(entry["name"])) == entry["bytes"] for entry in manifest["files"]
        ) and all(
            len(self.ledger.standing(phase)) >= self.read_json(plan_name(phase))["units"]
            for phase in self.ledger.phases()
            if self.ledger.writes_output(phase) and not self.names("quarantine")
        )

    def final_path(self, name: str) -> Path:
        """Where an output goes: names under ``_gpucurate/`` belong to the run folder.

        Raises:
            StorageError: the name points outside the output.
        """
        return self._place.final_path(name)

    def names(self, folder: str) -> list[str]:
        """Files in a folder of the run folder, by their names relative to it, sorted."""
        return self._place.names(folder)

    def fetch(self, name: str) -> bool:
        """Whether there is a file or folder of the run folder; if so, it is on this machine now."""
        for each in self.names(name) or [name]:
            self.final_path(f"{FOLDER}/{each}")
        return (self.path / name).exists()

    def remove(self, name: str) -> None:
        """Remove a file of the run folder."""
        self._place.remove(name)

    def write_json(self, name: str, values: Any) -> None:
        """Write a small file of the run folder, whole or not at all."""
        self._place.write(name, orjson.dumps(values, option=_READABLE))

    def write_json_later(self, name: str, values: Any) -> None:
        """The same, while this process goes on: it is on disk before anything that becomes final later."""
        self._place.write_later(name, orjson.dumps(values, option=_READABLE))

    def write_reports(self, files: Mapping[str, Any]) -> None:
        """Write small files by which nobody goes on, each whole or not at all, in their order."""
        contents = {name: orjson.dumps(values, option=_READABLE) for name, values in files.items()}
        self._place.write_together(contents)
        self._has_report = True

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
        content = self._place.read(name)
        try:
            return None if content is None else parse_state(name, content)
        except ValueError as error:
            raise StorageError(
                f"{self.path / name} is damaged ({error}): give --fresh to begin anew, or another output"
            ) from error

    def finish(self) -> None:
        """Say that the run is whole, and remove what only the run itself needed."""
        self._retire_strays()
        reach("finish.before_sync")
        self.log.sync()
        reach("finish.before_success")
        if not self.is_finished:
            self._place.keep_artefacts()
            reach("finish.after_artefacts")
            self._say_success()
        reach("finish.before_remove")
        self._place.end()
        reach("finish.after_remove")

    def _retire_strays(self) -> None:
        """Of phases that an earlier run went through and this one did not, no output stays."""
        for phase in self.ledger.phases():
            if phase not in self.opened and self.ledger.writes_output(phase):
                self.retire(phase, list(self.ledger.standing(phase)))

    def retire(self, phase: str, units: Sequence[str]) -> None:
        """Say that units are no part of the run any more, and remove what they wrote and nobody wrote since.

        Raises:
            StorageError: not possible.
        """
        if units:
            self.reopen()  # readers must not trust what names their files
            reach("retire.before_record")
            standing = self.ledger.standing(phase)
            for record in [gone_record(standing[unit]) for unit in units]:
                self.log.append(record)
                self.ledger.note(record)
            self.log.sync()
            reach("retire.before_remove")
        for name in self.ledger.take_lost():
            self.store.remove(decode_name(name))

    def _say_success(self) -> None:
        try:
            self._place.write(SUCCESS, sealed(self._place))
        except StorageError:
            with suppress(StorageError):  # it may have its name, and not be on disk: nobody is to trust it
                self._place.remove(SUCCESS)
            raise

    def reopen(self) -> None:
        """Say that the run is not whole after all: there is something left to do."""
        if self.is_finished:
            reach("reopen.before_unlink")
            self._place.remove(SUCCESS)
            reach("reopen.after_unlink")
            make_passing_folder(self.attempts)

    def close(self) -> None:
        """Close the log and give the folder up."""
        try:
            self.store.settle()
            self.log.close()
            if self._has_report and not self.is_finished:
                self._place.keep_artefacts()  # why it went wrong is read on other machines too
        finally:
            self._place.close()
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, GpucurateError):
                self.check_owner()  # its files may have been removed by whoever has the folder now
        finally:
            self.close()

    def _clear_attempts(self) -> None:
        reach("attempts.before_remove")
        self._place.clear()
        reach("attempts.after_remove")
        if self.is_finished:  # and may have been killed before it had removed this
            self._place.end()
        else:
            make_passing_folder(self.attempts)


def _place(output: Place, folder: Path | None) -> RunPlace:
    if not isinstance(output, Url):
        return LocalPlace(output, folder)
    from gpucurate.checkpoint.split_place import SplitPlace
    from gpucurate.checkpoint.store_place import StorePlace

    return StorePlace(output) if folder is None else SplitPlace(output, folder)


def state_folder(output: Place, folder: Path | None = None) -> Path:
    """Where the run folder of an output lies on this machine, or will."""
    if folder is not None:
        return folder
    if not isinstance(output, Url):
        return output / FOLDER
    from gpucurate.checkpoint.working_folder import working_folder

    return working_folder(output)
