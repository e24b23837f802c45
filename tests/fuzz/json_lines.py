"""JSON lines against an oracle in plain Python."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson

from gpucurate.io.jsonl.layout import HEAD_BYTES, foreign_container, foreign_encoding
from gpucurate.io.limits import DEEPEST
from tests.io.reading import read

_BOM = b"\xef\xbb\xbf"


def check_json_lines(data: bytes) -> None:
    """Read bytes as a file, cut by what the first of them says, and compare records and rejects.

    Raises:
        AssertionError: they differ.
    """
    if len(data) < 2:
        return
    unit, content = 1 + data[0] + 16 * data[1], data[2:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(content)
        outcome = read(path, unit, piece_bytes=unit)
    head = content[:HEAD_BYTES]
    if foreign_encoding(head) or foreign_container(head):
        assert outcome.num_records == 0
        assert [line for _, line in outcome.reasons] == [None]
        return
    texts, rejected, blank = oracle(content)
    assert outcome.texts == texts
    assert [line for _, line in outcome.reasons] == rejected
    assert outcome.num_blank == blank
    assert outcome.num_records == len(texts) + len(rejected) + blank


def oracle(content: bytes) -> tuple[list[str], list[int], int]:
    """Texts of the records that are kept, lines that are rejected, and how many are blank."""
    content = content.removeprefix(_BOM)
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    texts, rejected, blank = [], [], 0
    for number, line in enumerate(lines):
        if not line.strip(b" \t\r"):
            blank += 1
            continue
        text = _text_of(line.removesuffix(b"\r"))
        if text is None:
            rejected.append(number)
        else:
            texts.append(text)
    return texts, rejected, blank


def _text_of(line: bytes) -> str | None:
    try:
        record: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict) or _depth(record) > DEEPEST:
        return None
    text = record.get("text")
    return text if isinstance(text, str) else None


def _depth(value: Any) -> int:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if below is None else 1 + max(map(_depth, below), default=0)
