"""From options to a run and what is printed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpucurate.backends.executors import Executor
    from gpucurate.cli.gpu_options import GpuOptions
    from gpucurate.cli.options import RunOptions
    from gpucurate.workflows.deduplication import DeduplicationWorkflow
    from gpucurate.workflows.removal import TextDuplicatesRemovalWorkflow

    Workflow = DeduplicationWorkflow | TextDuplicatesRemovalWorkflow


def carry_out(workflow: Workflow, options: RunOptions, gpu: GpuOptions | None = None) -> None:
    """Run a workflow, or say what it would do, and print what came of it.

    Args:
        workflow: what to run.
        options: how.
        gpu: what it may use of GPUs, if it can use any.

    Raises:
        GpucurateError: see its subclasses.
    """
    from rich.console import Console

    from gpucurate.cli.summary import print_plan, print_summary
    from gpucurate.spec.progress import Silent
    from gpucurate.telemetry.memory_watch import MemoryWatch
    from gpucurate.telemetry.progress import TerminalProgress

    console, resume = Console(highlight=False, soft_wrap=True), options.resume
    executor = _executor(workflow, options, gpu)
    if options.dry_run:
        print_plan(console, workflow, executor)
        return
    with MemoryWatch() as watch:
        observer = Silent() if options.quiet else TerminalProgress(Console(stderr=True), watch)
        result = workflow.run(executor, observer, watch, resume=resume, take_over=options.take_over)
    print_summary(console, result)


def _executor(workflow: Workflow, options: RunOptions, gpu: GpuOptions | None) -> Executor:
    size = sum(file.size for file in workflow.listing.files)
    return executor_for(options, gpu, size)


def executor_for(options: RunOptions, gpu: GpuOptions | None, input_bytes: int) -> Executor:
    """What was asked for; else worker processes if several or GPUs are wanted, or the input is worth them.

    Raises:
        UsageError: options that exclude each other.
        ConfigurationError: values that cannot be.
    """
    from gpucurate.backends.executors import InlineExecutor, LocalExecutor, default_executor
    from gpucurate.cli.options import ExecutorKind

    gpus, gpu_memory = (None, None) if gpu is None else (gpu.gpus, gpu.memory_bytes)
    memory = options.memory_bytes
    if options.runs_on_ray:
        from gpucurate.backends.ray.executor import RayExecutor

        return RayExecutor(
            options.ray_address,
            options.workers,
            memory,
            gpus=gpus,
            gpu_memory=gpu_memory,
            include_dashboard=options.ray_dashboard,
            config=options.config,
        )
    if options.executor is ExecutorKind.inline:
        _refuse_workers(options, gpus)
        return InlineExecutor(memory, gpu_memory)
    asks = (options.workers, gpus, options.stall_timeout)
    if options.executor is ExecutorKind.local or any(one is not None for one in asks):
        return LocalExecutor(options.workers, memory, gpus=gpus, gpu_memory=gpu_memory, config=options.config)
    return default_executor(input_bytes, memory, gpu_memory)


def _refuse_workers(options: RunOptions, gpus: int | None) -> None:
    from gpucurate.spec.errors import UsageError

    if options.workers is not None or gpus is not None:
        raise UsageError("--executor inline has one worker, this process: leave --workers and --gpus out")
    if options.stall_timeout is not None:
        raise UsageError(
            "--executor inline has no process beside this one that could look after it: "
            "leave --stall-timeout out, or give --executor local"
        )
