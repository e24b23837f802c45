"""Options of the reader: the same words on the command line and in Python, and each of them bites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.cli.app import run
from gpucurate.pipeline.pipeline import Pipeline
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.stages.text.io.reader import DocumentReader
from gpucurate.stages.text.io.writer import DocumentWriter
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from tests.input_classes.corpus import DOCUMENTS, Command, dedup, report
from tests.input_classes.declared import lines, parquet, texts
from tests.io.reading import ReadLimits, read

BAD_UTF8 = lines(
    b'{"text": "caf\xe9"}', b"{broken \xff", b'{"id": "\xf0\x9f", "text": "end\xe2\x82"}', {"text": "ok"}
)
MENDED = '{"text": "caf\ufffd"}\n{"id": "\ufffd", "text": "end\ufffd"}\n{"text": "ok"}\n'.encode()


def test_bytes_that_are_not_utf8_are_replaced_where_it_is_asked_for(folder: Path, command: Command) -> None:
    (folder / "in" / "late.jsonl").write_bytes(BAD_UTF8)
    ended = command("--encoding-errors", "replace", "--max-reject-rate", "1")
    assert (ended.code, ended.books["rejected"]) == (0, {"bad_json": 1})
    assert (ended.output / "late.jsonl").read_bytes() == MENDED
    assert ended.books["kept"] == DOCUMENTS + 3
    assert "bytes that are not UTF-8 were replaced by U+FFFD" in ended.said
    (reject,) = ended.rejects
    assert (reject["line"], reject["offset"]) == (2, BAD_UTF8.index(b"{broken"))


@pytest.mark.parametrize("unit", [7, 30, 1000])
def test_what_is_replaced_does_not_depend_on_where_files_are_cut(tmp_path: Path, unit: int) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(BAD_UTF8)
    outcome = read(path, unit, piece_bytes=unit, limits=ReadLimits(encoding_errors="replace"))
    assert b"\n".join(outcome.originals) + b"\n" == MENDED
    assert outcome.texts == ["caf\ufffd", "end\ufffd", "ok"]
    assert outcome.reasons == [("bad_json", 1)]


def test_texts_of_parquet_that_are_not_utf8_are_replaced_in_what_is_written_too(
    folder: Path, command: Command
) -> None:
    raw = pa.array([b"caf\xe9", b"ok", b"\xff"], pa.binary())
    columns = {"text": raw.view(pa.string()), "raw": raw, "name": raw.view(pa.string()).dictionary_encode()}
    (folder / "in" / "late.parquet").write_bytes(parquet(columns))
    (folder / "in" / "later.parquet").write_bytes(parquet({"text": pa.array([b"of bytes\xff"], pa.binary())}))
    ended = command("--encoding-errors", "replace")
    assert (ended.code, ended.books["kept"]) == (0, DOCUMENTS + 4)
    written = pq.read_table(ended.output / "late.parquet")
    written.validate(full=True)
    assert written["text"].to_pylist() == written["name"].to_pylist() == ["caf\ufffd", "ok", "\ufffd"]
    assert written["raw"].to_pylist() == raw.to_pylist()


def test_a_text_of_parquet_that_is_longer_than_a_line_may_be_is_rejected(
    folder: Path, command: Command
) -> None:
    (folder / "in" / "late.parquet").write_bytes(parquet({"text": ["x" * 1_000_001, "short"]}))
    ended = command("--max-reject-rate", "1")
    assert (ended.code, ended.books["rejected"]) == (0, {"too_large": 1})
    (reject,) = ended.rejects
    assert (reject["row"], reject["snippet"]) == (0, "x" * 200)
    assert "1000001 bytes, more than the 1000000 allowed" in reject["detail"]


def pipeline(folder: Path, **read_kwargs: Any) -> dict[str, Any]:
    reader = DocumentReader(folder / "in", text_fields=["text"], read_kwargs=read_kwargs)
    stages = [reader, DocumentWriter(folder / "out")]
    return Pipeline("copy", stages=stages).run(InlineExecutor(), max_reject_rate=1.0).report.books.to_dict()


def test_readers_of_pipelines_take_the_same_words(folder: Path) -> None:
    (folder / "in" / "late.jsonl").write_bytes(BAD_UTF8)
    assert pipeline(folder, encoding_errors="replace")["rejected"] == {"bad_json": 1}
    assert (folder / "out" / "late.jsonl").read_bytes() == MENDED


def test_readers_of_pipelines_follow_links_out_of_their_folder_if_they_are_told_to(folder: Path) -> None:
    (folder / "outside.jsonl").write_bytes(texts("outside", 2))
    (folder / "in" / "link.jsonl").symlink_to(folder / "outside.jsonl")
    with pytest.raises(InputError, match="follow_external=True"):
        pipeline(folder)
    assert pipeline(folder, follow_external=True)["read"] == DOCUMENTS + 2


def test_removal_by_ids_and_lines_take_the_same_options(folder: Path) -> None:
    (folder / "outside.jsonl").write_bytes(
        lines({"id": "1", "text": "outside"}, b'{"id": "2", "text": "\xff"}')
    )
    (folder / "links").mkdir()
    (folder / "links" / "link.jsonl").symlink_to(folder / "outside.jsonl")
    (folder / "ids.jsonl").write_bytes(lines({"id": "1"}))
    options = ["--follow-external", "--encoding-errors", "replace", "-q"]
    ids = ["--ids", str(folder / "ids.jsonl"), "--id-field", "id"]
    assert run(["dedup", "remove", str(folder / "links"), "-o", str(folder / "o1"), *ids, *options]) == 0
    assert report(folder / "o1")["books"]["kept"] == 1
    assert run(["dedup", "lines", str(folder / "links"), "-o", str(folder / "o2"), *options]) == 0
    assert report(folder / "o2")["books"]["kept"] == 2


def test_another_policy_reads_what_was_replaced_as_the_run_did(folder: Path) -> None:
    (folder / "in" / "late.jsonl").write_bytes(BAD_UTF8)
    options = ["--encoding-errors", "replace", "--max-reject-rate", "1"]
    assert dedup(folder / "in", "-o", folder / "out", "--clusters-only", *options) == 0
    assert run(["dedup", "apply", str(folder / "out"), "-o", str(folder / "other"), "-q"]) == 0
    assert (folder / "other" / "late.jsonl").read_bytes() == MENDED


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": (
        {"on_corupt": "fail"},
        "on_corupt are not known: there are encoding_errors",
    ),
    "a wrong word": ({"on_corrupt": False}, "on_corrupt is False: it is 'skip' or 'fail'"),
    "another wrong word": ({"encoding_errors": "ignore"}, "it is 'reject' or 'replace'"),
    "too deep": ({"max_depth": 10**6}, "between 1 and 250"),
    "nothing": ({"max_record_bytes": 0}, "at least 1"),
}


@pytest.mark.parametrize("given, why", SETTINGS.values(), ids=SETTINGS)
def test_63_settings_of_a_reader_that_cannot_be_are_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        DocumentReader("in", read_kwargs=given)


@pytest.mark.parametrize("rate", [float("nan"), -0.1, 1.5])
def test_63_a_share_of_rejects_that_is_none_is_refused(folder: Path, rate: float) -> None:
    with pytest.raises(ConfigurationError, match="from 0 to 1"):
        ExactDeduplicationWorkflow(folder / "in", folder / "out", max_reject_rate=rate)
    with pytest.raises(ConfigurationError, match="from 0 to 1"):
        Pipeline("none", stages=[DocumentReader(folder / "in")]).run(max_reject_rate=rate)


@pytest.mark.parametrize(
    "options, code, why",
    [
        (["--max-record-bytes", "1e400"], 3, "'1e400' is not a size"),
        (["--max-record-bytes", "9" * 400 + "TB"], 3, "2**63 bytes or more"),
        (["--blocksize", "no"], 3, "--blocksize: 'no' is not a size"),
        (["--max-reject-rate", "nan"], 2, "should be"),
        (["--max-reject-rate", "2"], 2, "less than or equal to 1"),
        (["--on-corrupt", "no"], 2, "'no' is not one of 'skip', 'fail'"),
        (["--encoding-errors", "ignore"], 2, "is not one of 'reject', 'replace'"),
        (["--on-corupt", "fail"], 2, "--on-corrupt"),
    ],
    ids=str,
)
def test_63_options_that_cannot_be_are_refused(
    folder: Path, options: list[str], code: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["dedup", "exact", str(folder / "in"), "-o", str(folder / "out"), *options]
    assert run(arguments) == code
    said = " ".join(capsys.readouterr().err.replace("\u2502", " ").split())
    assert why in said
    assert not (folder / "out").exists()
