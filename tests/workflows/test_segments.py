"""Deduplication of lines and paragraphs from files to files."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from gpucurate.backends.driver import Outcome
from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.dedup.key_file import KeySet
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, QuarantinedError
from gpucurate.spec.unit import OutputFile, Unit, UnitResult
from gpucurate.stages.deduplication.keys import KEY_FOLDER
from gpucurate.stages.deduplication.segment_removal import SegmentRemoval
from gpucurate.stages.deduplication.segments import SegmentKeys
from gpucurate.workflows.found import Found
from gpucurate.workflows.segment_options import segment_settings
from gpucurate.workflows.segments import (
    LineDeduplicationWorkflow,
    ParagraphDeduplicationWorkflow,
    SegmentDeduplicationWorkflow,
    segments_of,
)
from tests.workflows.segment_oracle import Settings, gone_of, remaining
from tests.workflows.tree import digests, lines, report

BOILERPLATE = [
    "All rights reserved, 2024.",
    "Subscribe to our newsletter!",
    "→ Weiter zum nächsten Artikel 日本",
]
ENDS = ["\n", "\n", "\r\n", "\n\n", "\n \n\n", "\r\n\u3000\r\n"]

Corpus = Callable[..., Path]


def page(rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randrange(9)):
        unique = f"{rng.random()} is a number that no other page has 😀"
        body = rng.choice(
            [unique, unique, "short", "", rng.choice(BOILERPLATE), rng.choice(BOILERPLATE).upper()]
        )
        parts.append(body + rng.choice(ENDS))
    return rng.choice(["", "", "\n"]) + "".join(parts)[: rng.choice([None, -1])]


def pages(count: int = 400, seed: int = 5) -> list[str]:
    rng = random.Random(seed)
    return [*(page(rng) for _ in range(count)), BOILERPLATE[0], "", "\n\n"]


def record(number: int, text: str) -> str:
    """A JSON line, in one of several ways to write it."""
    fields = {"id": number, "text": text, "extra": {"text": "All rights reserved, 2024.", "n": [1.50, None]}}
    return json.dumps(fields, ensure_ascii=number % 2 == 0, indent=None, separators=(", ", " : "))


@pytest.fixture
def write_corpus(tmp_path: Path) -> Corpus:
    def write(texts: Sequence[str], files: int = 3) -> Path:
        folder = tmp_path / "in"
        folder.mkdir()
        size = -(-len(texts) // files)
        for number in range(files):
            some = [record(i, texts[i]) for i in range(number * size, min(len(texts), (number + 1) * size))]
            (folder / f"{number}.jsonl").write_text("".join(line + "\n" for line in some), "utf-8")
        return folder

    return write


def texts_of(folder: Path) -> list[str]:
    return [json.loads(line)["text"] for line in lines(folder)]


def run(grain: str, folder: Path, output: Path, **settings: Any) -> dict[str, Any]:
    workflow = SegmentDeduplicationWorkflow(grain, folder, output, segment_settings(settings))
    details: dict[str, Any] = workflow.run(InlineExecutor()).report.details["segments"]
    return details


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings("paragraph"),
        Settings(scope="document"),
        Settings("paragraph", "document", "none"),
        Settings(keep="none", min_count=30),
        Settings(min_length=1, normalize=False),
        Settings("paragraph", min_length=29),
    ],
    ids=str,
)
def test_what_remains_is_what_plain_python_leaves(
    settings: Settings, write_corpus: Corpus, tmp_path: Path
) -> None:
    texts = pages()
    given = vars(settings) | {"normalize_text": settings.normalize}
    shared = {name: given[name] for name in ("scope", "keep", "min_length", "min_count", "normalize_text")}
    folder = write_corpus(texts)
    details = run(settings.grain, folder, tmp_path / "out", input_blocksize="20kB", **shared)
    expected = remaining(texts, settings)
    assert texts_of(tmp_path / "out") == [text for text in expected if text is not None]
    assert details["cut"] == sum(map(sum, gone_of(texts, settings))) > 0
    assert details["documents_changed"] == sum(a != b for a, b in zip(texts, expected, strict=True))
    assert details["documents_emptied"] == expected.count(None)
    assert report(tmp_path / "out")["books"]["dropped"] == {"empty after cuts": expected.count(None)}
    sizes = [(len(text.encode()), len((left or "").encode()), left is None)
             for text, left in zip(texts, expected, strict=True)]  # fmt: skip
    of_others = sum(size - left for size, left, is_emptied in sizes if not is_emptied)
    assert of_others <= details["bytes_cut"] <= of_others + sum(size for size, _, emptied in sizes if emptied)


def test_every_byte_beside_what_was_cut_stays(write_corpus: Corpus, tmp_path: Path) -> None:
    texts = pages()
    run("line", write_corpus(texts), tmp_path / "out", drop_empty=False, keep="none")
    rest = [text or "" for text in remaining(texts, Settings(keep="none"))]
    written = [line.decode().rstrip("\n") for line in lines(tmp_path / "out")]
    for number, line in enumerate(written):  # a text of which only white space remains is written as such
        left = json.loads(line)["text"]
        assert line == record(number, left)
        assert left == rest[number] or not left.strip()


def test_a_corpus_without_repetition_is_copied_byte_for_byte(write_corpus: Corpus, tmp_path: Path) -> None:
    folder = write_corpus([f"page {i} is like no other page\nfooter {i} too, of its own" for i in range(90)])
    details = run("line", folder, tmp_path / "out")
    assert lines(tmp_path / "out") == lines(folder)
    assert (details["seen"], details["compared"], details["distinct"], details["cut"]) == (180, 180, 180, 0)


def test_figures_and_the_most_frequent_segments_are_reported(write_corpus: Corpus, tmp_path: Path) -> None:
    texts = [f"a page of which number {i} is the only one\nThe  Footer of the site\nok" for i in range(50)]
    details = run("line", write_corpus(texts), tmp_path / "out", input_blocksize="1kB", log_text=True)
    assert details == {
        "seen": 150,
        "compared": 100,
        "distinct": 51,
        "cut": 49,
        "bytes_cut": 49 * len("The  Footer of the site\n"),
        "documents_changed": 49,
        "documents_emptied": 0,
        "most_frequent": [{"count": 50, "path": "0.jsonl", "row": 0, "text": "The Footer of the site"}],
    }


def test_nothing_depends_on_workers_or_on_how_files_are_split(write_corpus: Corpus, tmp_path: Path) -> None:
    folder = write_corpus(pages(1200), files=2)

    def made(name: str, executor: Any, **settings: Any) -> Path:
        given = segment_settings({"list_cuts": True, **settings})
        SegmentDeduplicationWorkflow("line", folder, tmp_path / name, given).run(executor)
        return tmp_path / name

    inline = made("inline", InlineExecutor(), input_blocksize="30kB")
    local = made("local", LocalExecutor(2), input_blocksize="30kB")
    whole = made("whole", LocalExecutor(2))
    assert len(digests(inline)) > 5
    assert digests(inline) == digests(local)
    assert b"".join(lines(whole)) == b"".join(lines(inline))
    assert cuts(whole) == cuts(inline) == cuts(local)


def cuts(output: Path) -> list[dict[str, Any]]:
    parts = sorted((output / "_gpucurate" / "cuts").iterdir())
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


def test_listed_cuts_point_at_the_text_that_went_and_at_where_it_stays(
    write_corpus: Corpus, tmp_path: Path
) -> None:
    folder, settings = write_corpus(pages()), Settings("paragraph")
    run("paragraph", folder, tmp_path / "out", list_cuts=True, input_blocksize="10kB")
    texts = {path.name: [json.loads(line)["text"] for line in path.read_bytes().splitlines()]
             for path in folder.iterdir()}  # fmt: skip
    rows = cuts(tmp_path / "out")
    assert len(rows) == sum(
        map(sum, gone_of([text for name in sorted(texts) for text in texts[name]], settings))
    )
    for row in rows:
        cut = texts[row["path"]][row["row"]][row["start"] : row["stop"]]
        assert len(cut) >= 20
        assert " ".join(cut.lower().split()) in " ".join(
            texts[row["first_path"]][row["first_row"]].lower().split()
        )
    places = [(row["path"], row["row"], row["start"]) for row in rows]
    assert places == sorted(places)


def test_cuts_are_listed_only_if_asked_for(write_corpus: Corpus, tmp_path: Path) -> None:
    result = LineDeduplicationWorkflow(write_corpus(pages(50)), tmp_path / "out").run(InlineExecutor())
    assert not (tmp_path / "out/_gpucurate/cuts").exists()
    assert result.cuts().num_rows == 0


def without(text: str, spans: Sequence[Sequence[int]]) -> str:
    for start, stop in reversed(spans):
        text = text[:start] + text[stop:]
    return text


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_annotation_says_what_would_go_and_changes_nothing(
    format: str, write_corpus: Corpus, tmp_path: Path
) -> None:
    folder = write_corpus(pages(), files=1)
    run("line", folder, tmp_path / "cut", drop_empty=False)
    details = run("line", folder, tmp_path / "out", annotate=True, format=format)
    if format == "jsonl":
        rows = [json.loads(line) for line in lines(tmp_path / "out")]
        for old, new in zip(lines(folder), lines(tmp_path / "out"), strict=True):
            assert new.startswith(old.rstrip(b"}\n"))
    else:
        rows = pq.read_table(tmp_path / "out" / "0.parquet").to_pylist()
    assert [row["text"] for row in rows] == texts_of(folder)
    assert [without(row["text"], row["_gpucurate_cuts"]) for row in rows] == texts_of(tmp_path / "cut")
    assert details == report(tmp_path / "cut")["segments"]
    assert details["documents_emptied"] > 0


def test_annotation_replaces_no_field_of_the_users(write_corpus: Corpus, tmp_path: Path) -> None:
    folder = write_corpus(pages(20), files=1)
    run("line", folder, tmp_path / "once", annotate=True)
    with pytest.raises(ConfigurationError, match="_gpucurate_cuts already"):
        run("line", tmp_path / "once", tmp_path / "twice", annotate=True)


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
def test_compressed_files_stay_compressed(suffix: str, write_corpus: Corpus, tmp_path: Path) -> None:
    folder = write_corpus(pages(), files=1)
    run("line", folder, tmp_path / "plain")
    data = (folder / "0.jsonl").read_bytes()
    packed = tmp_path / f"packed{suffix}"
    packed.write_bytes(gzip.compress(data) if suffix.endswith("gz") else zstandard.compress(data))
    run("line", packed, tmp_path / "out")
    made = (tmp_path / "out" / packed.name).read_bytes()
    unpacked = (
        gzip.decompress(made)
        if suffix.endswith("gz")
        else zstandard.decompress(made, max_output_size=1 << 24)
    )
    assert unpacked == (tmp_path / "plain" / "0.jsonl").read_bytes()


KINDS = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.dictionary(pa.int32(), pa.string()),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("format", [None, "jsonl"])
def test_parquet_keeps_its_other_columns_and_the_kind_of_its_text(
    kind: pa.DataType, format: str | None, write_corpus: Corpus, tmp_path: Path
) -> None:
    texts = pages()
    run("line", write_corpus(texts, files=1), tmp_path / "jsonl")
    text = pa.array(texts, pa.large_string()).cast(kind)
    table = pa.table(
        {"id": range(len(texts)), "text": text, "extra": [{"a": [i]} for i in range(len(texts))]}
    )
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=50)
    if format == "jsonl" and pa.types.is_binary(kind):
        return  # which JSON does not hold
    run("line", tmp_path / "in.parquet", tmp_path / "out", input_blocksize="5kB", format=format)
    if format == "jsonl":
        assert texts_of(tmp_path / "out") == texts_of(tmp_path / "jsonl")
        return
    parts = sorted((tmp_path / "out").glob("*.parquet"))
    assert len(parts) > 1
    made = pa.concat_tables([pq.read_table(part) for part in parts])
    kept = [json.loads(line)["id"] for line in lines(tmp_path / "jsonl")]
    assert made.column("text").cast(pa.large_string()).to_pylist() == texts_of(tmp_path / "jsonl")
    assert made.drop(["text"]).equals(table.drop(["text"]).take(kept))
    views = {pa.string_view(): pa.large_string()}
    assert made.schema.field("text").type == views.get(kind, kind)


def test_rejected_lines_are_accounted_for_and_cost_nothing_else(write_corpus: Corpus, tmp_path: Path) -> None:
    folder = write_corpus(pages(300), files=1)
    run("line", folder, tmp_path / "clean")
    path = folder / "0.jsonl"
    good = path.read_bytes().splitlines(keepends=True)
    for at, line in ((40, b"{not json\n"), (90, b"\n"), (200, b'{"text": null}\n'), (201, b'{"id": 3}\n')):
        good.insert(at, line)
    path.write_bytes(b"".join(good))
    run("line", folder, tmp_path / "out", input_blocksize="10kB", max_reject_rate=0.1, list_cuts=True)
    books = report(tmp_path / "out")["books"]
    assert books["rejected"] == {"bad_json": 1, "missing_text": 1, "null_text": 1}
    assert (books["blank"], books["read"]) == (1, len(good) - 1)
    assert lines(tmp_path / "out") == lines(tmp_path / "clean")
    texts = [json.loads(line).get("text") if line[:2] not in (b"{n", b"\n") else None for line in good]
    assert all(texts[row["row"]][row["start"] : row["stop"]] for row in cuts(tmp_path / "out"))


def test_a_run_goes_on_where_it_was_stopped(
    write_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_corpus(pages(900))
    settings = {"input_blocksize": "20kB", "list_cuts": True}
    whole = run("line", folder, tmp_path / "whole", **settings)

    class Stopped(BaseException):
        pass

    for stage, calls in ((SegmentKeys, 3), (SegmentRemoval, 2)):
        left, process = [calls], stage.process

        def stop(self: Any, task: Any, left: list[int] = left, process: Any = process) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Stopped
            return process(self, task)

        with monkeypatch.context() as patch, pytest.raises(Stopped):
            patch.setattr(stage, "process", stop)
            run("line", folder, tmp_path / "out", **settings)
    assert run("line", folder, tmp_path / "out", **settings) == whole
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")
    assert cuts(tmp_path / "out") == cuts(tmp_path / "whole")
    assert any(phase["resumed_units"] for phase in report(tmp_path / "out")["phases"])


def test_a_finished_run_is_not_done_again_and_another_policy_is_refused(
    write_corpus: Corpus, tmp_path: Path
) -> None:
    folder = write_corpus(pages(50))
    first = LineDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor())
    again = LineDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor())
    assert again.was_finished
    assert again.report.details["segments"] == first.report.details["segments"]
    for settings, message in (
        ({"min_count": 3}, "min_count: 2 then, 3 now"),
        ({"keep": "none"}, 'keep: "first" then, "none" now'),
        ({"drop_empty": False}, "drop_empty: true then, false now"),
        ({"min_length": 3}, "20 then, 3 now"),
        ({"scope": "document"}, '"corpus" then, "document" now'),
    ):
        with pytest.raises(OutputInUseError, match=message):
            LineDeduplicationWorkflow(folder, tmp_path / "out", **settings).run(InlineExecutor())
    with pytest.raises(OutputInUseError, match='"dedup lines" then, "dedup paragraphs" now'):
        ParagraphDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep": "longest"}, "keep='longest' is not a policy: choose first, none"),
        ({"scope": "file"}, "scope='file' is not known"),
        ({"min_length": 0}, "min_length is 0: it must be at least 1"),
        ({"min_count": 1}, "min_count is 1: it must be at least 2"),
        ({"perform_removal": True}, "no such option: perform_removal; there are annotate"),
        ({"compression": "lz4"}, "not known: choose one of"),
    ],
)
def test_impossible_settings_are_refused_at_once(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        LineDeduplicationWorkflow(tmp_path, tmp_path / "out", **settings)


def test_text_that_changed_between_the_passes_is_noticed(
    write_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = SegmentKeys.process

    def process_half(self: SegmentKeys, task: Any) -> None:
        process(self, task.select(task.records % 2 == 0))

    monkeypatch.setattr(SegmentKeys, "process", process_half)
    with pytest.raises(QuarantinedError, match="met other segments than the first pass"):
        run("line", write_corpus(pages(50)), tmp_path / "out")


def test_more_segments_than_can_be_numbered_are_refused_in_a_sentence() -> None:
    keys = OutputFile(f"{KEY_FOLDER}/u.keys", "", 2**32, 0, "")
    units = [Unit("u", 0, (), 0)]
    outcome = Outcome([UnitResult("u", [keys])], [], 0.0)
    found = Found(KeySet([None], np.zeros(2, np.int64)), units, outcome, [], [], "", None)
    with pytest.raises(ConfigurationError, match="4,294,967,296 segments are to be compared"):
        segments_of(found)


def test_segments_whose_marks_do_not_fit_in_memory_are_refused_with_the_numbers(
    write_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_corpus(pages())
    monkeypatch.setattr("gpucurate.workflows.segments.MARKING", 10_000)
    with pytest.raises(ConfigurationError, match=r"marking [\d,]+ lines takes 10000 bytes each.*1\.00 MB\."):
        LineDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor("1MB"))
