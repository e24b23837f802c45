"""A virtual environment for each peer, made by the driver and never the project's own.

What goes into one is pinned to the last package in ``requirements/NAME.txt``. An environment is made once and
again when that file changes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
PEERS = ("datasketch", "rensa", "text-dedup", "datatrove", "polars", "duckdb")


@dataclass(frozen=True, slots=True)
class Environment:
    """A peer's interpreter, or why there is none.

    Attributes:
        name: of the peer and of its file of requirements.
        version: that the file pins, such as ``2.0.0``.
        python: the interpreter; None where the peer could not be installed.
        reason: what pip said then.
    """

    name: str
    version: str
    python: Path | None
    reason: str = ""

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


def environment(name: str, folder: Path, requirements: Path = REQUIREMENTS) -> Environment:
    """The environment of a peer below ``folder``, made where it is absent or out of date."""
    pins = requirements / f"{name}.txt"
    version = pinned_version(pins.read_text(), name)
    home = folder.absolute() / name
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()
    ready = home / ".requirements"
    if not ready.exists() or ready.read_text() != digest:
        shutil.rmtree(home, ignore_errors=True)
        if reason := _make(home, pins):
            return Environment(name, version, None, reason)
        ready.write_text(digest)
    return Environment(name, version, home / "bin" / "python")


def pinned_version(requirements: str, name: str) -> str:
    """The version of ``name`` among lines ``name==version``.

    Raises:
        KeyError: the lines do not pin it.
    """
    pins = dict(line.partition("==")[::2] for line in requirements.splitlines())
    return pins[name]


def pip_reason(output: str) -> str:
    """The line of pip's output that says why it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["pip said nothing"])[0]


def _make(home: Path, pins: Path) -> str:
    """Make an environment; the reason if that fails."""
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    done = subprocess.run([*pip, "-r", str(pins)], check=False, capture_output=True, text=True)
    return pip_reason(done.stderr) if done.returncode else ""
