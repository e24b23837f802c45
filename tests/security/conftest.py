"""One run of every kind, with secrets planted wherever a user may put them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gpucurate.cli.app import run

SCRIPT = Path(__file__).with_name("script.py")

PLANTED = {
    "GPUCURATE_TEST_API_KEY": "planted-in-a-key-5d41402a",
    "TEST_SERVICE_TOKEN": "planted-in-a-token-bc4b2a76",
    "TEST_SECRET": "planted-in-a-secret-b9719d91",
    "TEST_DB_PASSWORD": "planted-in-a-password-1017c592",
}
CANARY = "canary"
"""Is in every document."""


@dataclass
class Runs:
    """What was run.

    Attributes:
        folder: of all outputs, by kind.
        codes: what each command ended with.
        said: what all of them printed.
    """

    folder: Path
    codes: dict[str, int] = field(default_factory=dict)
    said: str = ""

    def run_folders(self) -> list[Path]:
        """Those of all kinds."""
        return sorted(self.folder.glob("*/_gpucurate"))

    def files(self) -> Iterator[Path]:
        """All files of the run folders."""
        for folder in self.run_folders():
            yield from (path for path in sorted(folder.rglob("*")) if path.is_file())

    def call(self, name: str, *arguments: str) -> None:
        """Run a command in this process, its output in a folder of its own."""
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            self.codes[name] = run(list(arguments))
        self.said += out.getvalue()

    def spawn(self, name: str, *arguments: str, **environment: str) -> None:
        """Run a program in a process of its own."""
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            env={**os.environ, **environment},
        )
        self.codes[name] = done.returncode
        self.said += done.stdout + done.stderr


def write_documents(folder: Path) -> Path:
    """Three files, the first half of each the same, and bad lines."""
    folder.mkdir()
    for number in range(3):
        shared = [{"id": i, "text": f"{CANARY} shared {i} " + "lorem ipsum dolor " * 9} for i in range(20)]
        own = [{"id": 100 * number + 50 + i, "text": f"{CANARY} {number} {i} own"} for i in range(20)]
        lines = [json.dumps(record) for record in shared + own]
        (folder / f"{number}.jsonl").write_text("\n".join([*lines, '{"text": 7}']) + "\n")
    return folder


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("runs")
    data = str(write_documents(folder / "data"))
    (folder / "ids.jsonl").write_text('{"id": 3}\n{"id": 4}\n')
    made = Runs(folder)
    umask = os.umask(0o022)
    os.environ.update(PLANTED)
    try:
        _all_kinds(made, data)
    finally:
        os.umask(umask)
        for name in PLANTED:
            del os.environ[name]
    yield made


def _all_kinds(made: Runs, data: str) -> None:
    def out(name: str) -> list[str]:
        return ["-o", str(made.folder / name), "--max-reject-rate", "1", "--executor", "inline"]

    index = str(made.folder / "index")
    made.call("exact", "dedup", "exact", data, *out("exact"), "--save-index", index)
    made.call("against", "dedup", "exact", data, *out("against"), "--against", index)
    verify = ["--verify", "exact", "--threshold", "0.8"]
    made.call("fuzzy", "dedup", "fuzzy", data, *out("fuzzy"), *verify)
    made.call("lines", "dedup", "lines", data, *out("lines"), "--list-cuts")
    ids = ["--ids", str(made.folder / "ids.jsonl"), "--id-field", "id"]
    made.call("removed", "dedup", "remove", data, *out("removed"), *ids)
    applied = ["--output", str(made.folder / "applied"), "--keep", "longest"]
    made.call("applied", "dedup", "apply", str(made.folder / "exact"), *applied)
    for number, url in enumerate(SECRET_URLS):
        for debug in ([], ["--debug"]):
            made.call(f"url {number} {debug}", "dedup", "exact", url, *out("never"), *debug)
    # One unit is final, the next one's files are written, and its record is not.
    crash = f"record.before_append:2:{made.folder / 'counter'}"
    killed = ["-m", "gpucurate", "dedup", "exact", data, *out("killed"), "--blocksize", "2kB"]
    made.spawn("killed", *killed, GPUCURATE_CRASH=crash)
    for kind in ("rejects", "quarantine", "setup"):
        made.spawn(kind, str(SCRIPT), kind, data, str(made.folder / kind))


SECRET_URLS = (
    "s3://me:planted-in-a-url-e4da3b7f@bucket/a.jsonl",
    "https://planted-in-a-url-e4da3b7f@host/a.jsonl",
    "s3://bucket/a.jsonl?X-Amz-Signature=planted-in-a-url-e4da3b7f&X-Amz-Credential=planted-in-a-url-e4da3b7f",
    "abfs://box@account/a.jsonl?sig=planted-in-a-url-e4da3b7f",
    "memory://x/a.jsonl?token=planted-in-a-url-e4da3b7f",
    "simplecache::s3://me:planted-in-a-url-e4da3b7f@bucket/a.jsonl",
)
