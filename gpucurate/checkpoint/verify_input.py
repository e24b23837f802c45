"""One file that a run read, against what it noted of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gpucurate.io.fingerprint import hash_bytes
from gpucurate.io.source import open_source
from gpucurate.spec.errors import InputChangedError, InputError, one_line
from gpucurate.spec.source import InputFile
from gpucurate.spec.unit import BytesTaken

_ADVICE = "Put back what it read, or give the command of the run with --resume-changed"


@dataclass(slots=True)
class Reading:
    """What a run noted of a file that it read.

    Attributes:
        name: as in the listing, printable.
        path: what to open.
        size: bytes.
        mtime_ns: time of change.
        etag: entity tag.
        taken: fingerprints; none where the file was not read yet, or by a version that took none.
    """

    name: str
    path: str
    size: int
    mtime_ns: int | None
    etag: str | None
    taken: list[BytesTaken] = field(default_factory=list)

    def add(self, start: int, count: int, digest: str) -> None:
        """Enter a fingerprint."""
        self.taken.append(BytesTaken(start, count, digest))

    @property
    def file(self) -> InputFile:
        """The file as it was listed; what it holds does not matter here."""
        return InputFile(self.path, self.name, self.size, self.mtime_ns, self.etag, "jsonl", "none")


def compare_input(reading: Reading) -> tuple[str, str]:
    """What is wrong with a file, and what is worth a note; each empty if there is nothing.

    Where its bytes can be compared they decide: a file that was copied or touched is the same.
    """
    changed = ""
    try:
        open_source(reading.file).close()  # it is compared when it is opened
        found = _other_bytes(reading) if reading.taken else None
    except InputChangedError as error:
        changed = f"it is not what the run read: {error.what}"
        found = _read_anyway(reading) if reading.taken else changed
    except InputError as error:
        found = _cannot(error)
    if found is not None:
        return f"{found}. {_ADVICE}", ""
    return "", "it was written to since, and what was read of it is the same" if changed else ""


def _read_anyway(reading: Reading) -> str | None:
    try:
        return _other_bytes(reading)
    except InputChangedError as error:
        return f"it is not what the run read: {error.what}"
    except InputError as error:
        return _cannot(error)


def _cannot(error: InputError) -> str:
    gone = isinstance(error.__cause__, FileNotFoundError)
    return "it vanished after the run had read it" if gone else one_line(error)


def _other_bytes(reading: Reading) -> str | None:
    any_time = InputFile(reading.path, reading.name, reading.size, None, None, "jsonl", "none")
    with open_source(any_time) as source:
        for taken in sorted(reading.taken, key=lambda taken: taken.start):
            if hash_bytes(source, taken) != taken.digest:
                stop = taken.start + taken.count
                return f"its bytes {taken.start:,} to {stop:,} are not those that were read"
    return None
