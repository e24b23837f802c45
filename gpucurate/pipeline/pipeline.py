"""The pipeline: stages in order, built into a plan and run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Self

from gpucurate.backends.chain import Stage
from gpucurate.backends.driver import Outcome
from gpucurate.backends.executors import Executor, default_executor
from gpucurate.checkpoint.resume import Mode, Resume
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.io.output_name import check_output_names
from gpucurate.pipeline.branches import branches, check_branches, place_branches
from gpucurate.pipeline.checkpoints import (
    check_checkpoints,
    checkpoints,
    held_already,
    open_checkpoints,
    refuse_overlap_with_output,
)
from gpucurate.pipeline.describe import describe_stages
from gpucurate.pipeline.devices import devices_of, this_machine
from gpucurate.pipeline.outlook import Outlook
from gpucurate.pipeline.result import RunResult
from gpucurate.pipeline.run import INTERNAL, Run, refuse_overlap
from gpucurate.pipeline.simulated import simulated_seconds
from gpucurate.pipeline.verdict import DEFAULT_MAX_REJECT_RATE, check_reject_rate, judge
from gpucurate.planning.costs import Costs
from gpucurate.planning.memory import decoded_bytes
from gpucurate.planning.placement import place
from gpucurate.planning.planner import make_plan
from gpucurate.planning.prediction import Volume, predict
from gpucurate.planning.units import make_units, units_of_tasks
from gpucurate.spec.cluster import Node
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.place import local_folder, place_of
from gpucurate.spec.plan import Plan
from gpucurate.spec.progress import Observer
from gpucurate.spec.unit import Unit, UnitResult
from gpucurate.stages.base import CompositeStage, SourceStage
from gpucurate.stages.shapes.reduce import check_reduces
from gpucurate.stages.specification import specify
from gpucurate.stages.text.io.reader import DocumentReader
from gpucurate.stages.text.io.writer import DocumentWriter
from gpucurate.tasks.content import content_digest
from gpucurate.tasks.file_group import FileGroupTask
from gpucurate.tasks.sentinels import EmptyTask
from gpucurate.tasks.task import Task
from gpucurate.telemetry.report import sum_books


class Pipeline:
    """Stages that run one after the other over every batch.

    Args:
        name: for messages, the plan and the report.
        description: a sentence, shown by :meth:`describe`.
        stages: the first stages; :meth:`add_stage` adds more.

    >>> stages = [JsonlReader("in/", fields=["text"]), Long(), JsonlWriter("out/")]
    >>> Pipeline("long pages", stages=stages).run().report.books.kept
    """

    def __init__(self, name: str, description: str = "", stages: Sequence[Stage] | None = None) -> None:
        self.name = name
        self.description = description
        self.stages: list[Stage] = []
        for stage in stages or ():
            self.add_stage(stage)

    def add_stage(self, stage: Stage) -> Self:
        """Append a stage.

        Raises:
            ConfigurationError: not a stage, or one that reads files after the first.
        """
        if not hasattr(stage, "process_batch"):
            raise ConfigurationError(
                f"{stage!r} is not a stage: derive it from ProcessingStage, or use processing_stage"
            )
        if self.stages and isinstance(stage, SourceStage):
            raise ConfigurationError(f"stage {stage.name!r} reads the input: it can only be the first")
        self.stages.append(stage)
        return self

    def build(
        self, *, nodes: Sequence[Node] | None = None, fuse: bool = True, costs: Costs | None = None
    ) -> Plan:
        """Take composite stages apart, check that columns are there, and make the plan.

        The input is listed, and the first file's columns are looked at.

        Args:
            nodes: machines that it is made for; this one by default.
            fuse: False to give each stage workers of its own, for comparison.
            costs: of an earlier run, if there was one.

        Raises:
            ConfigurationError: a column that no stage provides, a device that is not there,
                more than one writer, a branch that cannot write where it should, a figure that has
                no name of its own, a checkpoint that is not between two stages.
            InputError: no input.
        """
        self.stages = place_branches(flatten(self.stages))
        writers = [stage.name for stage in self.stages if isinstance(stage, DocumentWriter)]
        if len(writers) > 1:
            raise ConfigurationError(
                f"pipeline {self.name!r} has {len(writers)} writers ({', '.join(writers)}), and the first "
                "takes all documents: run one pipeline for each output, or write rows aside with Branch"
            )
        check_reduces(self.stages)
        check_checkpoints(self.stages)
        specs = [specify(stage) for stage in self.stages]
        machines = [this_machine(self.stages)] if nodes is None else nodes
        available, gpu_memory = devices_of(machines)
        return make_plan(
            "main", specs, available=available, fuse=fuse, gpu_memory=gpu_memory, costs=costs, nodes=machines
        )

    def describe(self) -> str:
        """The stages with their columns and resources, as text. Touches no file."""
        return describe_stages(self.name, self.description, flatten(self.stages))

    def explain(
        self,
        initial_tasks: Sequence[Task[Any]] | None = None,
        *,
        nodes: Sequence[Node] | None = None,
        fuse: bool = True,
        costs: Costs | None = None,
    ) -> str:
        """How it will run, as text: segments and why they are cut, workers, bytes moved, memory, time.

        See :meth:`outlook`.
        """
        return str(self.outlook(initial_tasks, nodes=nodes, fuse=fuse, costs=costs))

    def outlook(
        self,
        initial_tasks: Sequence[Task[Any]] | None = None,
        *,
        nodes: Sequence[Node] | None = None,
        fuse: bool = True,
        costs: Costs | None = None,
    ) -> Outlook:
        """What is known of a run before it starts.

        The input is listed, and nothing else of it is read but the columns of its first file.

        Args:
            initial_tasks: what enters the first stage, where that is not a reader.
            nodes: machines that it is planned for (:func:`parse_cluster`); this one by default.
            fuse: False to give each stage workers of its own, for comparison.
            costs: of an earlier run (``Costs.from_report``); without them no time is known.

        Raises:
            ConfigurationError: as :meth:`build`, or no machine can hold a worker of a segment.
            InputError: no input.
        """
        plan = self.build(nodes=nodes, fuse=fuse, costs=costs)
        units = self._units(plan, initial_tasks)
        machines = [this_machine(self.stages)] if nodes is None else nodes
        layout = place(plan, machines, costs)
        given = sum(unit.est_bytes for unit in units if unit.payload is not None)
        volume = Volume(sum(u.est_bytes for u in units), decoded_bytes(units) + given, len(units))
        prediction = predict(plan, layout, volume, costs)
        simulated = None
        if costs and len(layout.phases) == 1:
            simulated = simulated_seconds(plan, units, machines, costs)
        measured = costs.input_bytes if costs else None
        held = held_already(plan, self.stages, partial(self._units, initial_tasks=initial_tasks))
        return Outlook(self.name, plan, layout, volume, prediction, measured, simulated, tuple(held))

    def run(
        self,
        executor: Executor | None = None,
        initial_tasks: Sequence[Task[Any]] | None = None,
        checkpoint_path: str | PathLike[str] | None = None,
        *,
        collect: bool = False,
        max_reject_rate: float = DEFAULT_MAX_REJECT_RATE,
        ignore_failures: bool = False,
        observer: Observer | None = None,
        resume: Mode = "auto",
        take_over: bool = False,
    ) -> RunResult:
        """Run to the end.

        A pipeline with a writer keeps its state in ``_gpucurate/`` of the output: run
        again, it goes on where it was interrupted, and does nothing where it had finished.

        Args:
            executor: :class:`LocalExecutor` or :class:`InlineExecutor`; by default local
                for inputs from 64 MiB on.
            initial_tasks: what enters the first stage, where that is not a reader.
            checkpoint_path: where the state goes instead.
            collect: give back the final tasks with their data.
            max_reject_rate: share of documents that may be rejected.
            ignore_failures: end well though units were set aside.
            observer: is told of progress.
            resume: ``auto`` goes on with an earlier run, and refuses another input or plan; ``changed``
                keeps the units of work that are the same and does the others; ``fresh`` begins anew, in the
                folders of checkpoints too.
            take_over: take the folder from an owner that is not known to be alive.

        Returns:
            The final tasks and the report.

        Raises:
            GpucurateError: see its subclasses; each says what to do.
        """
        check_reject_rate(max_reject_rate)
        with ExitStack() as ending:
            if executor:
                ending.callback(executor.close)  # asking for its machines may have joined a cluster
            plan = self.build(
                nodes=executor.machines() if executor else None,
                fuse=executor.settings.fuse if executor else True,
            )
            units = self._units(plan, initial_tasks)
            executor = executor or default_executor(sum(unit.est_bytes for unit in units))
            wanted = Resume(resume, take_over)
            folder = self._folder(plan, units, checkpoint_path, wanted)
            if folder:
                ending.enter_context(folder)
            with Run(self.name, executor, folder, observer) as run:
                again = partial(self._units, initial_tasks=initial_tasks)
                held = open_checkpoints(plan, self.stages, units, again, ending=ending, resume=wanted)
                outcome = run.held_phase(held, collect)
                run.report.warnings += held.remarks
                ignored = ignore_failures or executor.settings.ignore_failures
                return self._finish(run, units, outcome, max_reject_rate, ignored)

    def _finish(
        self, run: Run, units: Sequence[Unit], outcome: Outcome, max_reject_rate: float, ignore_failures: bool
    ) -> RunResult:
        run.report.books = sum_books(outcome.results)
        source = self.stages[0]
        if isinstance(source, DocumentReader):
            run.report.ignored = list(source.listing.ignored)
            run.report.warnings += source.listing.warnings
            run.report.input_bytes = sum(file.size for file in source.listing.files)
        run.number_rejects("main", units, outcome.results)
        report = run.close_report(outcome.results)
        judge(report, max_reject_rate, ignore_failures)
        if run.folder:
            run.folder.finish()
        return RunResult([task for result in outcome.results for task in self._tasks(result)], report)

    def _tasks(self, result: UnitResult) -> list[Task[Any]]:
        """Final tasks of a unit; of one that an earlier run finished, the files that it wrote."""
        writer = next((stage for stage in self.stages if isinstance(stage, DocumentWriter)), None)
        if result.tasks or writer is None:
            return result.tasks
        others = (INTERNAL, *(f"{branch.folder}/" for branch in branches(self.stages)))
        names = [output.name for output in result.outputs if not output.name.startswith(others)]
        return [FileGroupTask("output", [str(writer.path / name)], name) for name in names]

    def _units(self, plan: Plan, initial_tasks: Sequence[Task[Any]] | None) -> tuple[Unit, ...]:
        source = self.stages[0]
        if initial_tasks is None and isinstance(source, SourceStage):
            return make_units(plan, source.partition())
        tasks = [EmptyTask()] if initial_tasks is None else initial_tasks
        return units_of_tasks(plan, [(task, task.nbytes, content_digest(task)) for task in tasks])

    def _check_places(self, writers: Sequence[DocumentWriter]) -> None:
        source = self.stages[0]
        for stage in checkpoints(self.stages):
            if isinstance(source, DocumentReader):
                refuse_overlap(stage.path, source.file_paths, "checkpoint")
        for writer in writers:
            if isinstance(writer.path, Path):
                refuse_overlap_with_output(self.stages, writer.path)

    def _folder(
        self,
        plan: Plan,
        units: Sequence[Unit],
        checkpoint_path: str | PathLike[str] | None,
        resume: Resume,
    ) -> RunFolder | None:
        writers = [stage for stage in self.stages if isinstance(stage, DocumentWriter)]
        self._check_places(writers)
        if not writers:
            if checkpoint_path is not None:
                raise ConfigurationError(
                    "checkpoint_path is given, but no stage writes files: there is nothing to keep"
                )
            return None
        source = self.stages[0]
        if isinstance(source, DocumentReader):
            refuse_overlap(writers[0].path, source.file_paths)
            if checkpoint_path is not None:
                refuse_overlap(Path(checkpoint_path), source.file_paths, "checkpoint_path")
            ranges = [r for unit in units for group in unit.groups for r in group]
            check_output_names(ranges, writers[0].format, writers[0].compression)
            check_branches(self.stages, ranges)
        state = None
        if checkpoint_path is not None:
            state = local_folder(place_of(checkpoint_path), "checkpoint_path")
        return RunFolder(writers[0].path, "pipeline", plan.decides, state, resume)


def flatten(stages: Sequence[Stage]) -> list[Stage]:
    """The stages with composite ones taken apart, however deep."""
    flat: list[Stage] = []
    for stage in stages:
        flat += flatten(stage.decompose()) if isinstance(stage, CompositeStage) else [stage]
    return flat
