"""Comparing a run's output, books and input with what it recorded of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import zstandard

from gpucurate.checkpoint.listing_file import Facts
from gpucurate.checkpoint.rejects import reject_lines
from gpucurate.checkpoint.run_view import REMOVE, RunView
from gpucurate.checkpoint.state_files import plan_name
from gpucurate.checkpoint.store import FOLDER
from gpucurate.checkpoint.verified import Verified
from gpucurate.checkpoint.verify_file import AGAIN, Promise, compare
from gpucurate.checkpoint.verify_input import Reading, compare_input
from gpucurate.spec.books import Books
from gpucurate.spec.errors import StorageError, one_line
from gpucurate.spec.names import decode_name, encode_name

_SCRATCH = f"{FOLDER}/scratch/"

THREADS = min(8, os.cpu_count() or 1)

T = TypeVar("T")
R = TypeVar("R")


def verify(run: RunView, *, with_input: bool = True) -> Verified:
    """Compare everything that a run recorded with what is there; reads all of it.

    Args:
        run: finished or not; of one that is not, what it has done.
        with_input: read the input again, and compare it with the fingerprints taken of it.

    Raises:
        StorageError: state that cannot be read.
    """
    found = _compared(run, with_input=with_input)
    if found.findings and not found.is_finished:
        now = run.again()
        if now.is_finished:  # meanwhile, and what only the run itself needed is gone
            return _compared(now, with_input=with_input)
    return found


def _compared(run: RunView, *, with_input: bool) -> Verified:
    found = Verified(run.store.shown, run.run["kind"], run.is_finished)
    standing = {phase: run.ledger.standing(phase) for phase in run.phases}
    for phase, stored in run.phases.items():
        found.phases[phase] = (len(standing[phase]), stored["units"])
    promises = _promises(run, found)
    _compare_outputs(run, found, promises.values())
    _check_state(run, found)
    _look_for_others(run, found, promises)
    _check_books(run, found)
    _count_rejects(run, found)
    listed = _listed(run, found)
    if with_input and listed is not None:
        _compare_inputs(run, found, listed)
    if run.quarantined:
        found.notes.append(
            f"{len(run.quarantined):,} units were set aside: see quarantine/ in the run folder"
        )
    return found


def _promises(run: RunView, found: Verified) -> dict[str, Promise]:
    """What files there should be, by encoded name: of all records and of the manifest."""
    promises: dict[str, Promise] = {}
    for phase in run.phases:
        for record in run.ledger.standing(phase).values():
            for name, rows, size, checksum in record["files"]:
                if not (found.is_finished and name.startswith(_SCRATCH)):
                    promises[name] = Promise(name, rows, size, checksum)
    if found.is_finished:
        _check_manifest(run, found, promises)
    return promises


def _check_manifest(run: RunView, found: Verified, promises: dict[str, Promise]) -> None:
    """Compare the manifest with the records; what only it tells of is added."""
    manifest = run.read_json("manifest.json") or {"files": []}
    listed = {e["name"]: Promise(e["name"], e["rows"], e["bytes"], e["checksum"]) for e in manifest["files"]}
    recorded = {name for name in promises if not name.startswith(f"{FOLDER}/")}
    for name in sorted(recorded - set(listed)):
        found.blame("output", name, "a record tells of it, and the manifest does not")
    for name, promise in listed.items():
        if name in promises and promises[name] != promise:
            found.blame("output", name, "the manifest says something else of it than its record")
        elif name not in promises and not run.run["decides"].get("nemo_ids"):
            found.blame("output", name, "the manifest tells of it, and no record does")
        promises.setdefault(name, promise)


def _compare_outputs(run: RunView, found: Verified, promises: Iterable[Promise]) -> None:
    for promise, wrong in _at_once(lambda promise: compare(run.store, promise), promises):
        found.files, found.bytes = found.files + 1, found.bytes + promise.bytes
        if not promise.name.startswith(f"{FOLDER}/"):
            found.rows += promise.rows or 0
        if wrong:
            found.blame("output", promise.name, wrong)


def _check_state(run: RunView, found: Verified) -> None:
    """Compare what of the run folder somebody relies on with what was there when the run ended."""
    if not found.is_finished:
        return
    sealed = {entry["name"]: entry for entry in run.seal}
    for name in ("report.json", "manifest.json", *map(plan_name, run.ledger.phases())):
        if name not in sealed and run.store.size(f"{FOLDER}/{name}") is None:
            found.blame("output", name, f"it is missing. {AGAIN}")
    promises = [
        Promise(f"{FOLDER}/{name}", None, each["bytes"], each["checksum"]) for name, each in sealed.items()
    ]
    for promise, wrong in _at_once(lambda promise: compare(run.store, promise), promises):
        if wrong:
            found.blame("output", promise.name, wrong)
    for phase, (done, units) in found.phases.items():
        if done < units and run.ledger.writes_output(phase) and not run.quarantined:
            what = f"{units - done:,} of its {units:,} units have no record. {AGAIN}"
            found.blame("output", f"phase {phase}", what)


def _look_for_others(run: RunView, found: Verified, promises: dict[str, Promise]) -> None:
    for name, _ in run.store.entries():
        if not name.startswith(f"{FOLDER}/") and encode_name(name) not in promises:
            found.extra.append(encode_name(name))
    found.extra.sort()


def _check_books(run: RunView, found: Verified) -> None:
    """Of each unit, and of the run against the sum of its units."""
    sums: dict[str, Books] = {}
    for phase in run.phases:
        sums[phase] = Books()
        for unit, record in run.ledger.standing(phase).items():
            books = Books.from_dict(record["books"])
            sums[phase].add(books)
            if books.balance:
                found.blame("books", f"unit {unit} of {phase}", f"do not balance: {books.describe()}")
    report = run.read_json("report.json")
    if found.is_finished and run.first_phase is not None and report is not None:
        books = Books.from_dict(report["books"])
        if books.balance:
            found.blame("books", "the run", f"do not balance: {books.describe()}")
        _compare_sums(found, books, sums, run.first_phase)


def _compare_sums(found: Verified, books: Books, sums: dict[str, Books], first: str) -> None:
    of_first = sums[first]
    told = {"read": (books.read, of_first.read), "rejected": (books.total_rejected, of_first.total_rejected)}
    writes = [phase for phase in sums if phase.startswith(("write", "main")) and found.phases[phase][0]]
    if len(writes) == 1:
        told["kept"] = (books.kept, sums[writes[0]].kept)
    for what, (of_run, of_units) in told.items():
        if of_run != of_units:
            found.blame("books", "the run", f"{of_run:,} documents {what}, and {of_units:,} by its units")


def _count_rejects(run: RunView, found: Verified) -> None:
    """Compare the rejects on disk with the books; they get there once their phase is over."""
    first, reasons = run.first_phase, Counter[str]()
    if first is None or not found.is_finished:
        return
    for name, _ in run.store.entries(f"{FOLDER}/rejects/"):
        if name.rpartition("/")[2].startswith("."):
            continue  # earlier versions left half of a file there when they were killed
        try:
            with run.store.open(name) as file:
                reasons.update(entry["reason"] for entry in reject_lines(file))
        except (zstandard.ZstdError, ValueError) as error:
            found.blame("output", name, f"it cannot be read ({error}): {REMOVE}")
    found.rejects = reasons.total()
    report = run.read_json("report.json")
    if report is None:
        return
    books = Books.from_dict(report["books"])
    if reasons != books.rejected:
        told = (
            f"rejects/ has {dict(sorted(reasons.items()))}, the books {dict(sorted(books.rejected.items()))}"
        )
        found.blame("books", "the rejects", told)


def _compare_inputs(run: RunView, found: Verified, files: Mapping[str, Facts]) -> None:
    readings = _readings(run, files)
    found.inputs = len(readings)
    for reading, (wrong, note) in _at_once(compare_input, readings.values()):
        found.input_bytes += sum(taken.count for taken in reading.taken)
        if wrong:
            found.blame("input", reading.name, wrong)
        if note:
            found.notes.append(f"{reading.name}: {note}")


def _listed(run: RunView, found: Verified) -> Mapping[str, Facts] | None:
    """The files of the input; None if nobody can tell any more."""
    try:
        return run.input()
    except StorageError as error:
        found.blame("output", "the listing of the input", one_line(error))
        return None


def _readings(run: RunView, listed: Mapping[str, Facts]) -> dict[str, Reading]:
    """The files of the input, with the fingerprints that were taken of them."""
    files = {name: facts for name, facts in listed.items() if len(facts) > 1}  # else tasks in memory
    readings = {
        name: Reading(name, decode_name(path), size, mtime_ns, etag)
        for name, (path, size, mtime_ns, etag) in files.items()
    }
    for phase in run.phases:
        for record in run.ledger.standing(phase).values():
            for name, _, _, _, *taken in record["ranges"]:
                if taken and name in readings:
                    readings[name].add(*taken)
    return readings


def _at_once(work: Callable[[T], R], items: Iterable[T]) -> list[tuple[T, R]]:
    """What becomes of each item, several of them worked on at a time."""
    every = list(items)
    with ThreadPoolExecutor(THREADS, "verify") as pool:
        return list(zip(every, pool.map(work, every), strict=True))
