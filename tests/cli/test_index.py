"""``gpucurate index``, and the options that go with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpucurate.cli.app import run


@pytest.fixture
def index(tmp_path: Path) -> Path:
    (tmp_path / "old.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in ["a", "b", "a"]))
    arguments = ["dedup", "exact", str(tmp_path / "old.jsonl"), "-o", str(tmp_path / "old-out"), "--quiet"]
    assert run([*arguments, "--save-index", str(tmp_path / "index")]) == 0
    return tmp_path / "index"


def against(index: Path, tmp_path: Path, *more: str) -> int:
    (tmp_path / "new.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in ["b", "c", "c"]))
    arguments = ["dedup", "exact", str(tmp_path / "new.jsonl"), "-o", str(tmp_path / "new-out"), "--quiet"]
    return run([*arguments, "--against", str(index), *more])


def test_the_summary_tells_what_was_there_already(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert against(index, tmp_path, "--dry-run") == 0
    assert "against    2 documents of indexes" in capsys.readouterr().out
    assert against(index, tmp_path, "--save-index", str(tmp_path / "more")) == 0
    text = capsys.readouterr().out
    assert "against    1 documents were there already, of 2 in 1 indexes" in text
    assert "/more: 1 documents" in text


def test_info_tells_documents_sketch_and_paths(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["index", "info", str(index)]) == 0
    text = capsys.readouterr().out
    for line in (
        "documents  2 in 1 files,",
        "part       index: 2 documents",
        "sketch     kind HashSketch",
        "signatures no",
    ):
        assert line in text
    assert "old.jsonl" not in text
    assert run(["index", "info", str(index), "--paths"]) == 0
    assert "path       old.jsonl: 2 documents" in capsys.readouterr().out


def test_merge_and_delete(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert against(index, tmp_path, "--save-index", str(tmp_path / "second")) == 0
    assert run(["index", "merge", str(index), str(tmp_path / "second"), "-o", str(tmp_path / "all")]) == 0
    assert "/all: 3 documents" in capsys.readouterr().out
    (tmp_path / "rows.jsonl").write_text('{"path": "old.jsonl", "row": 1}\n')
    more = ["--rows", str(tmp_path / "rows.jsonl"), "-o", str(tmp_path / "less")]
    assert run(["index", "delete", str(tmp_path / "all"), "--path", "new*", *more]) == 0
    text = capsys.readouterr().out
    assert "deleted    2 documents" in text
    assert "/less: 1 documents" in text


def test_what_cannot_be_done_is_told_by_exit_codes(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["index", "info", str(tmp_path)]) == 3
    assert "is not an index" in capsys.readouterr().err
    assert run(["index", "delete", str(index)]) == 2
    assert "give --path or --rows" in capsys.readouterr().err
    assert run(["index", "delete", str(index), "--path", "nothing"]) == 5
    assert against(index, tmp_path, "--save-index", str(tmp_path / "old-out")) == 4
    (index / "index.json").write_text("{")
    assert against(index, tmp_path) == 6
    assert "index.json is damaged" in capsys.readouterr().err


def test_info_tells_of_a_flipped_byte(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (keys,) = index.glob("*.keys")
    keys.write_bytes(bytes([keys.read_bytes()[0] ^ 1]) + keys.read_bytes()[1:])
    assert run(["index", "info", str(index)]) == 6
    assert "the index is damaged, save it again" in capsys.readouterr().err
