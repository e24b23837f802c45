"""A place between two stages at which a later run begins."""

from __future__ import annotations

import json
import operator
import shutil

import pytest

from gpucurate import Checkpoint, InlineExecutor, LocalExecutor, Pipeline, processing_stage
from gpucurate.checkpoint.saved_units import SavedUnits
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, StageError, StorageError
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.shapes import Branch, Parallel, ReduceStage
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.tasks import DocumentBatch
from tests.backends.corpus import outputs
from tests.stages.shapes.rows import add, ids, keep, own_frame, reader, write_rows, writer

EXECUTORS = {"inline": InlineExecutor, "local": lambda: LocalExecutor(workers=2, config={"fuse": False})}


class Trap(ProcessingStage):
    """Raises once a file is there: who runs it then is found out."""

    not_in_plan = ("file",)

    def __init__(self, file):
        self.file = file

    def setup(self, worker_metadata=None):
        assert not self.file.exists(), "set up"

    def process(self, task):
        assert not self.file.exists(), "called"
        return task


@pytest.fixture(params=["jsonl", "parquet"])
def layout(request):
    return request.param


@pytest.fixture
def corpus(tmp_path, layout):
    folder = write_rows(tmp_path / "in", layout)
    if layout == "jsonl":
        with (folder / "part-1.jsonl").open("a") as file:
            file.write('{"id": 7, "text": "torn\n{"id": "x"\n')
    return folder


@pytest.fixture
def run(corpus, layout, tmp_path):
    """A run over 100 documents in four files, with a bit of everything before the checkpoint."""

    def run(
        out="out",
        checkpoint="saved",
        executor=InlineExecutor,
        behind=None,
        before=(),
        resume="auto",
        **options,
    ):
        stages = [
            reader(corpus, layout, **options),
            Trap(tmp_path / "trap"),
            keep("not tens", lambda n: n % 10),
            Branch(lambda batch: batch.to_pandas()["id"] % 7 == 0, to="sevens", columns=["id"]),
            ReduceStage([], operator.add, lambda batch: batch.to_pyarrow()["id"].to_pylist(), name="seen"),
            add("score", lambda n: n / 4),
            *before,
            *([Checkpoint(tmp_path / checkpoint)] if checkpoint else []),
            behind or keep("even", lambda n: n % 2 == 0),
            writer(tmp_path / out, layout),
        ]
        pipeline = Pipeline("test", stages=stages)
        return pipeline.run(executor(), max_reject_rate=1.0, resume=resume).report

    return run


def told(report):
    """What a report says that does not depend on how a run went."""
    counts = {name: n for name, n in report.counts.items() if "checkpoint" not in name}
    return report.books.to_dict(), report.reduced, counts, report.output_files, report.output_bytes


def rejects(output):
    """Rejected rows, whatever their files are called."""
    import zstandard

    found = []
    for path in (output / "_gpucurate" / "rejects").glob("*.zst"):
        with path.open("rb") as file:
            text = zstandard.ZstdDecompressor().stream_reader(file).read()
        found += [json.loads(line) for line in text.splitlines()]
    return sorted(found, key=lambda row: row["line"])


def began(report):
    return report.counts.get("checkpoint: units that began behind it", 0)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_later_run_begins_there_and_writes_the_same_bytes(run, tmp_path, executor, layout):
    plain = run("plain", checkpoint=None)
    first = run("first", executor=EXECUTORS[executor])
    (tmp_path / "trap").touch()
    second = run("second", executor=EXECUTORS[executor])
    assert outputs(tmp_path / "plain") == outputs(tmp_path / "first") == outputs(tmp_path / "second")
    assert (began(first), began(second)) == (0, 4)
    assert told(plain) == told(first) == told(second)
    assert second.reduced["seen"] == [n for n in range(100) if n % 10 and n % 7]
    assert rejects(tmp_path / "plain") == rejects(tmp_path / "second")
    assert len(rejects(tmp_path / "second")) == 2 * (layout == "jsonl")
    assert not (tmp_path / "saved" / "attempts").exists()


def test_stages_behind_it_may_change(run, tmp_path):
    run("first")
    (tmp_path / "trap").touch()
    report = run("other", behind=keep("third", lambda n: n % 3 == 0))
    assert began(report) == 4
    assert ids(tmp_path / "other") == [n for n in range(100) if n % 10 and n % 7 and n % 3 == 0]


def test_stages_before_it_may_not_and_the_difference_is_shown(run, tmp_path):
    run("first")
    with pytest.raises(
        OutputInUseError, match=r"saved was made by other stages: .*text_fields.* Give another"
    ):
        run("second", text_fields=["text"])
    with pytest.raises(OutputInUseError, match=r"saved was made by other stages"):
        run("third", before=[add("more", float)])
    assert began(run("fourth")) == 4


def test_a_fresh_run_begins_anew_and_takes_away_what_is_recorded_alone(run, tmp_path):
    run("first")
    saved = tmp_path / "saved"
    batches = set((saved / "units").iterdir())
    (saved / "note.txt").write_text("somebody's")
    (saved / "units/mine.arrow").write_text("somebody's")
    run("second", before=[add("more", float)], resume="fresh")  # of other stages, which is refused otherwise
    assert not batches & set((saved / "units").iterdir())
    assert (saved / "note.txt").exists()
    assert (saved / "units/mine.arrow").exists()
    report = run("third", resume="fresh")
    assert began(report) == 0
    assert outputs(tmp_path / "third") == outputs(tmp_path / "first")
    (tmp_path / "trap").touch()
    assert began(run("fourth")) == 4


def test_a_fresh_run_reads_nothing_of_a_checkpoint_that_is_damaged(run, tmp_path):
    run("first")
    for name in ("checkpoint.json", "commit.log"):
        (tmp_path / "saved" / name).write_bytes(b"{")
    with pytest.raises(StorageError, match='begin anew with resume="fresh"'):
        run("second")
    assert began(run("third", resume="fresh")) == 0
    assert began(run("fourth")) == 4


def test_a_folder_of_somebody_else_is_refused_by_a_fresh_run_too(run, tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/mine").touch()
    with pytest.raises(OutputInUseError, match="none of gpucurate's"):
        run(resume="fresh")
    assert (tmp_path / "saved/mine").exists()


def test_units_whose_input_changed_begin_with_the_input_and_are_named(run, corpus, tmp_path, layout):
    run("first")
    shutil.copy(corpus / f"part-3.{layout}", corpus / f"part-9.{layout}")
    shutil.copy(corpus / f"part-2.{layout}", corpus / f"part-0.{layout}")
    report = run("second")
    assert began(report) == 3
    (remark,) = [text for text in report.warnings if text.startswith("checkpoint")]
    assert "2 of 5 units begin before it" in remark
    assert f"part-0.{layout} changed, or not finished then" in remark
    assert f"part-9.{layout} not in it" in remark
    run("plain", checkpoint=None)
    assert outputs(tmp_path / "second") == outputs(tmp_path / "plain")
    (tmp_path / "trap").touch()
    assert began(run("third")) == 5


def test_units_of_which_a_file_is_gone_begin_with_the_input(run, tmp_path):
    run("first")
    files = sorted((tmp_path / "saved" / "units").iterdir())
    files[0].unlink()
    files[-1].write_bytes(files[-1].read_bytes()[:-1])
    assert began(run("second")) == 2
    assert outputs(tmp_path / "first") == outputs(tmp_path / "second")
    assert began(run("third")) == 4


def test_bytes_that_are_not_those_that_were_written_end_the_run(run, tmp_path):
    run("first")
    file = next((tmp_path / "saved" / "units").glob("*.arrow"))
    raw = bytearray(file.read_bytes())
    raw[-60] ^= 1
    file.write_bytes(raw)
    with pytest.raises(StorageError, match=r"\.arrow of a checkpoint is damaged: .* Remove it"):
        run("second")
    file.unlink()
    again = run("second")
    assert began(again) + again.phases[0].resumed_units == 3  # some were final before the run ended
    assert outputs(tmp_path / "first") == outputs(tmp_path / "second")


def test_the_folder_can_be_removed_and_the_output_stays_done(run, tmp_path):
    run("first")
    shutil.rmtree(tmp_path / "saved")
    (tmp_path / "trap").touch()
    assert run("first").phases[0].resumed_units == 4


def test_a_checkpoint_may_be_added_to_a_run_that_has_begun(run, tmp_path):
    run("first", checkpoint=None)
    (tmp_path / "trap").touch()
    assert run("first").phases[0].resumed_units == 4


def test_each_unit_begins_behind_the_last_checkpoint_that_has_it(run, tmp_path):
    again = [Checkpoint(tmp_path / "early", name="early"), add("more", float)]
    first = run("first", before=again)
    assert (tmp_path / "early" / "checkpoint.json").exists()
    next((tmp_path / "saved" / "units").glob("*.arrow")).unlink()
    (tmp_path / "trap").touch()
    second = run("second", before=again, executor=EXECUTORS["local"])
    assert (began(second), second.counts["early: units that began behind it"]) == (3, 1)
    assert outputs(tmp_path / "first") == outputs(tmp_path / "second")
    assert told(first)[0] == second.books.to_dict()
    assert began(run("third", before=again)) == 4


def test_frames_of_ones_own_and_no_writer_at_all(corpus, layout, tmp_path):
    def total(before=()):
        stages = [
            reader(corpus, layout, keep_original=False),
            *before,
            own_frame("own", lambda frame: frame.assign(double=frame["id"] * 2), ["double"]),
            Checkpoint(tmp_path / "saved"),
            ReduceStage(0, operator.add, lambda b: int(b.to_pandas()["double"].sum()), columns=["double"]),
        ]
        return Pipeline("test", stages=stages).run(InlineExecutor(), max_reject_rate=1.0).report

    assert total().reduced == {"reduce": 9900}
    assert began(total()) == 4

    stages = [reader(corpus, layout, keep_original=False), Checkpoint(tmp_path / "saved")]
    with pytest.raises(OutputInUseError):
        Pipeline("test", stages=[*stages, writer(tmp_path / "out", layout)]).run(InlineExecutor())


def test_units_whose_rejected_rows_were_not_kept_begin_with_the_input(corpus, layout, tmp_path):
    stages = [reader(corpus, layout), Checkpoint(tmp_path / "saved"), keep("all", lambda n: True)]
    Pipeline("test", stages=stages).run(InlineExecutor(), max_reject_rate=1.0)
    written = [*stages, writer(tmp_path / "out", layout)]
    report = Pipeline("test", stages=written).run(InlineExecutor(), max_reject_rate=1.0).report
    assert began(report) == (3 if layout == "jsonl" else 4)
    assert len(rejects(tmp_path / "out")) == report.books.rejected.total() == 2 * (layout == "jsonl")


def test_it_is_told_in_the_description_and_in_the_plan(corpus, layout, tmp_path):
    stages = [reader(corpus, layout), Checkpoint(tmp_path / "saved"), writer(tmp_path / "out", layout)]
    pipeline = Pipeline("test", stages=stages)
    assert f"kept in {tmp_path / 'saved'}, from which a later run begins" in pipeline.describe()
    before = " ".join(pipeline.explain().split())
    assert "begins here: checkpoint before it is where a later run may begin" in before
    assert "0 of 4 units begin behind it" in before
    assert not (tmp_path / "saved").exists()
    pipeline.run(InlineExecutor(), max_reject_rate=1.0)
    assert "4 of 4 units begin behind it" in " ".join(pipeline.explain().split())
    other = [stages[0], keep("even", lambda n: n % 2), *stages[1:]]
    assert "holds what other stages made" in " ".join(Pipeline("test", stages=other).explain().split())


def test_two_runs_cannot_use_one_folder_at_a_time(run, tmp_path):
    run("first")
    decides = json.loads((tmp_path / "saved" / "checkpoint.json").read_text())["decides"]
    saved = SavedUnits(tmp_path / "saved", decides)
    with pytest.raises(OutputInUseError, match="is being written to by another run"):
        run("second")
    saved.close()
    assert began(run("second")) == 4


@pytest.mark.parametrize(
    ("checkpoint", "message"),
    [
        ("out/saved", r"the checkpoint .*out/saved and the output .*out overlap"),
        (".", r"lies in the checkpoint|overlap"),
        ("in/saved", r"the checkpoint .* lies in the input"),
    ],
)
def test_a_place_within_input_or_output_is_refused(run, checkpoint, message):
    with pytest.raises(ConfigurationError, match=message):
        run(checkpoint=checkpoint)


def test_a_folder_of_something_else_is_refused_and_left_alone(run, tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "thesis.tex").write_text("years")
    with pytest.raises(OutputInUseError, match=r"none of gpucurate's \(it holds 'thesis.tex'\)"):
        run()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="is a file: give a folder"):
        run(checkpoint="file")
    assert [path.name for path in (tmp_path / "saved").iterdir()] == ["thesis.tex"]


def test_it_stands_between_two_stages(corpus, layout, tmp_path):
    ends = [reader(corpus, layout), writer(tmp_path / "out", layout)]
    for stages, place in (([*ends, Checkpoint("x")], "last"), ([Checkpoint("x"), ends[1]], "first")):
        with pytest.raises(ConfigurationError, match=rf"'checkpoint' is the {place} of the pipeline"):
            Pipeline("test", stages=stages).build()
    with pytest.raises(ConfigurationError, match="two checkpoints lie in"):
        Pipeline("test", stages=[ends[0], Checkpoint("x"), Checkpoint("x/y"), ends[1]]).build()
    with pytest.raises(ConfigurationError, match="cannot run side by side"):
        Parallel([Checkpoint("x")])
    with pytest.raises(ConfigurationError, match="is no local folder"):
        Checkpoint("s3://bucket/saved")


class Named(DocumentBatch):
    """A batch of the user's own kind."""


def test_tasks_that_cannot_be_kept_whole_are_refused(corpus, layout, tmp_path):
    @processing_stage(name="named")
    def named(batch):
        return Named("", batch.to_pyarrow())

    @processing_stage(name="marked")
    def marked(batch):
        marked = batch.select([True] * batch.num_items)
        marked._metadata["lock"] = {1, 2}
        return marked

    for stage, message in ((named, "was given a Named"), (marked, "not JSON serializable")):
        kept, out = Checkpoint(tmp_path / "s" / stage.name), JsonlWriter(tmp_path / "o" / stage.name)
        stages = [reader(corpus, layout), stage, kept, out]
        with pytest.raises(StageError, match=message):
            Pipeline("test", stages=stages).run(InlineExecutor(), max_reject_rate=1.0)
