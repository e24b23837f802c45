"""A deduplication that has finished, as it lies on disk: its input, its options, its clusters."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from os import PathLike
from pathlib import Path
from typing import Any

from gpucurate.checkpoint.ledger import Ledger
from gpucurate.checkpoint.listing_file import listing_name, read_listing
from gpucurate.checkpoint.log import read_log
from gpucurate.checkpoint.records import stored_records
from gpucurate.checkpoint.run_copy import RunCopy
from gpucurate.checkpoint.shape import Shape, check_shape
from gpucurate.checkpoint.state_files import parse_state
from gpucurate.checkpoint.store import FOLDER, LocalStore
from gpucurate.io.listing import Listing
from gpucurate.io.names import recognise
from gpucurate.io.source import open_source
from gpucurate.planning.fingerprint import digest
from gpucurate.spec.errors import InputError, StorageError
from gpucurate.spec.names import decode_name
from gpucurate.spec.place import Url, place_of
from gpucurate.spec.source import InputFile

KINDS = ("dedup exact", "dedup fuzzy", "dedup apply")

_NONE = type(None)

_DECIDES: Shape = {
    "keys": {"stages": [dict]},
    "text_field": str,
    "input_filetype": (str, _NONE),
    "on_corrupt": str,
    "max_record_bytes": (int, _NONE),
    "sample": (str, _NONE),
}
"""What is read of the options of a run."""

_FIRST_STAGE: Shape = [{"config": {"unit_bytes": int}}]


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What a finished deduplication left.

    Attributes:
        path: its run folder.
        sort: ``exact`` or ``fuzzy``, of the run that found the clusters.
        decides: options that decided its results, and under ``keys`` the plan of its first pass.
        report: its report.
        listing: the files that it read, as they were.
        identity: digest of what it did and of what it read.
        copy: of a run in a store, what of its folder is read here; removed with this object.
    """

    path: Path
    sort: str
    decides: Mapping[str, Any]
    report: Mapping[str, Any]
    listing: Listing
    identity: str
    copy: RunCopy | None = None

    @property
    def clusters_path(self) -> Path:
        """Folder of the cluster artefact."""
        return self.path / "clusters"

    @property
    def documents(self) -> int:
        """Documents that were compared with each other."""
        books = self.report["books"]
        return int(books["read"] - sum(books["rejected"].values()) - books["dropped"].get("not sampled", 0))

    @property
    def unit_bytes(self) -> int:
        """Bytes of a unit of work, which decide the ranges of files."""
        reader, *_ = self.decides["keys"]["stages"]
        return int(reader["config"]["unit_bytes"])

    def range_records(self) -> dict[str, list[int]]:
        """Records of each range of each file, by encoded name.

        Raises:
            InputError: the commit log cannot be read.
        """
        try:
            is_copy = self.copy is not None and not (self.path / "commit.log").exists()
            store = LocalStore(self.path.parent, self.path)
            records = stored_records(store) if is_copy else read_log(self.path / "commit.log")
            done = Ledger(records).standing("keys")
        except (OSError, StorageError) as error:
            raise InputError(f"the log of {self.path} cannot be read: {error}") from error
        ranges = sorted(
            (name, at, count) for record in done.values() for name, at, count, *_ in record["ranges"]
        )
        return {name: [count for *_, count in of_file] for name, of_file in groupby(ranges, itemgetter(0))}

    def check_unchanged(self) -> None:
        """Compare all files with what they were.

        Raises:
            InputError: one of them is gone or changed; the message says in what.
        """
        for file in self.listing.files:
            try:
                open_source(file).close()  # it is compared when it is opened
            except InputError as error:
                raise InputError(f"the input of {self.path} is not what it was then: {error}") from error


def open_run(path: str | PathLike[str]) -> FinishedRun:
    """The deduplication whose output or run folder ``path`` is; of a URL, its output.

    Raises:
        StorageError: the store cannot be read.
        ConfigurationError: a URL that became a Path.
        InputError: there is none, or one that has not finished.
    """
    place = place_of(path)
    copy = RunCopy(place) if isinstance(place, Url) else None
    there = Path(path) if copy is None else copy.path
    folder = there if (there / "run.json").exists() else there / FOLDER
    if not (folder / "run.json").exists():
        raise InputError(
            f"{os.fspath(path)} is no run of gpucurate: name the output of a deduplication, or its {FOLDER}/"
        )
    run = _json(folder, "run.json")
    if run["kind"] not in KINDS:
        raise InputError(
            f"{os.fspath(path)} is a run of another kind ({run['kind']}): it has no clusters of documents"
        )
    if not (folder / "_SUCCESS").exists():
        raise InputError(f"{os.fspath(path)} has not finished: run its command again, which goes on with it")
    report = _json(folder, "report.json")
    if "sample" in report:
        raise InputError(
            f"{os.fspath(path)} holds clusters of the part of its input that fitted into memory "
            "(on_infeasible='sample'): of the rest nothing is known, so there is nothing to apply to it"
        )
    inputs = _inputs(folder, run)
    decides = run["decides"]
    files = _files(inputs, decides["input_filetype"])
    return FinishedRun(
        folder,
        decides.get("sort") or run["kind"].rpartition(" ")[2],
        decides,
        report,
        Listing(tuple(files), ()),
        digest([run, inputs]),
        copy,
    )


def _inputs(folder: Path, run: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Path, size, time of change and entity tag of each file, by encoded name."""
    if "input" not in run:  # format 1
        inputs: dict[str, list[Any]] = _json(folder, "phases/keys.json")["inputs"]
        return inputs
    name = listing_name(run["input"]["digest"])
    try:
        listing = read_listing(LocalStore(folder.parent, folder), name)
        return {key: list(facts) for key, facts in listing.items()}
    except StorageError as error:
        raise InputError(f"the listing of {folder} cannot be read: {error}") from error


def _files(inputs: Mapping[str, Sequence[Any]], wanted: Any) -> list[InputFile]:
    found = [_file(decode_name(name), *values, wanted=wanted) for name, values in inputs.items()]
    return sorted(found, key=lambda file: os.fsencode(file.name))


def _file(
    name: str, path: str, size: int, mtime_ns: int | None, etag: str | None, *, wanted: Any
) -> InputFile:
    path = decode_name(path)
    recognised = recognise(path.rsplit("/", 1)[-1], wanted)
    if isinstance(recognised, str):
        raise InputError(
            f"{path} is of the input of the run, but {recognised}: this version does not read it"
        )
    return InputFile(path, name, size, mtime_ns, etag, *recognised)


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        values = parse_state(name, (folder / name).read_bytes())
        if name == "run.json" and values["kind"] in KINDS:
            check_shape(values["decides"], _DECIDES, "decides")
            check_shape(values["decides"]["keys"]["stages"][:1], _FIRST_STAGE, "stages")
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / name} cannot be read: {error}") from error
    return values  # type: ignore[no-any-return]
