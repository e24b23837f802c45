"""Input that tests of damage and of verifying share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three files of twelve pages, some of them equal, and one line each that is broken."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        lines = [json.dumps({"text": f"page {(number + at) % 9}"}) for at in range(12)]
        (folder / f"{number}.jsonl").write_text("\n".join(["{broken", *lines]) + "\n")
    return folder
