"""Documents, files and units that cannot be done are told, and all others are done."""

from __future__ import annotations

import gzip
import json

import pytest

from gpucurate import LocalExecutor
from gpucurate.checkpoint.rejects import read_rejects
from gpucurate.spec.errors import InputError, QuarantinedError
from tests.backends.corpus import outputs
from tests.chaos.crowd import clean, pipeline
from tests.chaos.stages import Poison, Removes, Sieve, Sieve2, WholePoison

pytestmark = pytest.mark.timeout(60)


def executor(*, fuse=False, workers=4):
    return LocalExecutor(workers=workers, config={"fuse": fuse})


@pytest.mark.parametrize(
    ("what", "fuse"),
    [("kills", False), ("kills", True), ("raises", False)],
    ids=["kills, segments", "kills, fused", "raises, segments"],
)
def test_a_document_that_cannot_be_done_is_the_only_one_that_is_rejected(tmp_path, corpus, fuse, what):
    files, calm = clean(corpus, tmp_path / "clean", Sieve(3), Sieve2(5))
    result = pipeline(corpus, tmp_path / "out", Sieve(3), Poison(46, what), Sieve2(5)).run(
        executor(fuse=fuse)
    )
    books = result.report.books
    assert (books.read, books.kept, books.rejected) == (120, calm.report.books.kept - 1, {"poison": 1})
    assert books.balance == 0
    (rejects,) = (tmp_path / "out" / "_gpucurate" / "rejects").iterdir()
    (entry,) = read_rejects(rejects)
    assert (entry["reason"], entry["row"]) == ("poison", 6)
    assert entry["path"].endswith("part-02.jsonl")
    found = outputs(tmp_path / "out")
    assert [name for name in files if files[name] != found[name]] == ["part-02.jsonl"]
    good = [json.loads(line)["id"] for line in (tmp_path / "out" / "part-02.jsonl").open()]
    assert good == [i for i in range(40, 60) if i % 3 and i % 5 and i != 46]


@pytest.mark.parametrize("fuse", [False, True], ids=["segments", "fused"])
def test_of_a_file_that_is_torn_what_can_be_read_is_done_and_the_rest_is_one_reject(tmp_path, corpus, fuse):
    files, _ = clean(corpus, tmp_path / "clean", Sieve(3))
    whole = gzip.compress((corpus / "part-04.jsonl").read_bytes())
    (corpus / "part-04.jsonl").unlink()
    (corpus / "part-04.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    result = pipeline(corpus, tmp_path / "out", Sieve(3)).run(executor(fuse=fuse))
    assert result.report.books.rejected == {"corrupt_file": 1}
    assert result.report.books.balance == 0
    found = outputs(tmp_path / "out")
    assert {name for name in files if files[name] != found.get(name)} == {"part-04.jsonl"}


def test_a_file_that_is_gone_meanwhile_is_set_aside_and_the_others_are_done(tmp_path, corpus):
    files, _ = clean(corpus, tmp_path / "clean", Sieve(3))
    run = pipeline(corpus, tmp_path / "out", Removes(corpus / "part-05.jsonl"), Sieve(3))
    with pytest.raises(InputError, match=r"part-05.jsonl vanished after it was listed"):
        run.run(executor(fuse=True, workers=1))
    del files["part-05.jsonl"]
    assert outputs(tmp_path / "out") == files


def test_a_unit_that_always_kills_is_set_aside_where_it_must_stay_whole(tmp_path, corpus):
    files, _ = clean(corpus, tmp_path / "clean", Sieve(3))
    with pytest.raises(QuarantinedError, match="after 3 tries: killed by SIGKILL") as raised:
        pipeline(corpus, tmp_path / "out", Sieve(3), WholePoison(46, "kills")).run(executor())
    assert raised.value.exit_code == 8
    del files["part-02.jsonl"]
    assert outputs(tmp_path / "out") == files
    report = json.loads((tmp_path / "out" / "_gpucurate" / "report.json").read_text())
    assert [entry["kind"] for entry in report["quarantined"]] == ["died"]
    assert report["phases"][0]["retries"] == 2
