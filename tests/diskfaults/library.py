"""The library that makes a disk fail, and what it was told and tells."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")
_HEAD = struct.Struct("=qq64s4096s")


def build(folder: Path) -> Path:
    """The library, compiled unless it lies in the folder; by its content, so that it is never an old one.

    Raises:
        RuntimeError: there is no C compiler (gcc), which these tests need.
    """
    path = folder / f"faults-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    if path.exists():
        return path
    if shutil.which("gcc") is None:
        raise RuntimeError("gcc is not there: the tests of a failing disk compile a library; install it")
    folder.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(f".{os.getpid()}")
    options = ["-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
    subprocess.run(["gcc", *options, "-o", str(made), str(SOURCE), "-ldl"], check=True)
    made.replace(path)
    return path


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of one run.

    Attributes:
        state: folder for what the library counts, logs and saves; made anew.
        under: folder in which calls fail; real, without links.
    """

    state: Path
    under: Path

    def __post_init__(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)

    def environment(self, at: int = 0, how: int = 0, *, logs: bool = False) -> dict[str, str]:
        """What a run is told: that call ``at`` fails with ``how``, or is its last (0)."""
        return {
            "GPUCURATE_FAULTS": str(self.state),
            "GPUCURATE_FAULTS_UNDER": str(self.under),
            "GPUCURATE_FAULTS_AT": str(at),
            "GPUCURATE_FAULTS_HOW": str(how),
            "GPUCURATE_FAULTS_LOG": str(int(logs)),
        }

    @property
    def calls(self) -> int:
        """Calls so far."""
        count: int = self._head[0]
        return count

    @property
    def failed(self) -> tuple[str, str]:
        """Name of the call that failed, and its path; empty if none did."""
        _, _, name, path = self._head
        return name.rstrip(b"\0").decode(), path.split(b"\0")[0].decode()

    @property
    def log(self) -> list[list[str]]:
        """What was done, a list of fields a call."""
        path = self.state / "log"
        return [line.split("\t") for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def _head(self) -> tuple[int, int, bytes, bytes]:
        with (self.state / "counter").open("rb") as file:
            head: tuple[int, int, bytes, bytes] = _HEAD.unpack(file.read(_HEAD.size))
        return head
