"""A small corpus, and a folder as a value."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path


def write_corpus(folder: Path, files: int = 6, rows: int = 20, size: int = 60) -> Path:
    """JSON lines with odd spacing, so that rewritten lines are seen."""
    folder.mkdir(parents=True)
    words = "word " * (size // 5)
    for i in range(files):
        lines = [
            f'{{"id":  {i * rows + j}, "text": {json.dumps(f"{i}-{j} " + words)},"x":"\\u00e9" }}\n'
            for j in range(rows)
        ]
        (folder / f"part-{i:02d}.jsonl").write_text("".join(lines))
    return folder


def outputs(folder: Path) -> dict[str, str]:
    """Digest of every output by name, the run folder left out."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "_gpucurate" not in path.relative_to(folder).parts
    }


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> object:
    """What ``condition`` gives once it is true; an error if it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"{condition} did not come true in {seconds} s")
