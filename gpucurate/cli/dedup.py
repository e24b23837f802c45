"""``gpucurate dedup exact`` and ``gpucurate dedup fuzzy``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpucurate.cli import options as opt

if TYPE_CHECKING:
    from gpucurate.backends.executors import Executor
    from gpucurate.workflows.deduplication import DeduplicationWorkflow

dedup = typer.Typer(help="Find and remove duplicates.", no_args_is_help=True)

_SKETCH = "Shingles and bands"


@dedup.command()
def exact(
    inputs: opt.Inputs,
    output: opt.Output,
    text_field: opt.TextField = "text",
    normalize: Annotated[
        bool, typer.Option(help="Compare lower-cased text with white space collapsed.")
    ] = False,
    keep: opt.KeepOption = opt.Keep.first,
    annotate: opt.Annotate = False,
    clusters_only: opt.ClustersOnly = False,
    format: opt.OutputFormat = None,
    compression: opt.OutputCompression = None,
    input_format: opt.InputFormat = None,
    blocksize: opt.Blocksize = "64MiB",
    on_corrupt: opt.OnCorruptOption = opt.OnCorrupt.skip,
    max_record_bytes: opt.MaxRecordBytes = "32MiB",
    max_reject_rate: opt.MaxRejectRate = 0.01,
    workers: opt.Workers = None,
    memory: opt.Memory = None,
    dry_run: opt.DryRun = False,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Keep one of the documents whose text is equal."""
    given = dict(locals())
    from gpucurate.workflows.exact import ExactDeduplicationWorkflow

    common = _common(given)
    _carry_out(ExactDeduplicationWorkflow(inputs, output, normalize_text=normalize, **common), given)


@dedup.command()
def fuzzy(
    inputs: opt.Inputs,
    output: opt.Output,
    text_field: opt.TextField = "text",
    preset: Annotated[
        opt.Preset, typer.Option(help="Where settings not given below come from.", rich_help_panel=_SKETCH)
    ] = opt.Preset.default,
    shingle: Annotated[
        opt.Shingle | None, typer.Option(help="Shingles of characters or of words.", rich_help_panel=_SKETCH)
    ] = None,
    ngram: Annotated[
        int | None, typer.Option(min=1, help="Characters or words a shingle.", rich_help_panel=_SKETCH)
    ] = None,
    bands: Annotated[int | None, typer.Option(min=1, help="Bands.", rich_help_panel=_SKETCH)] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="MinHash values a band.", rich_help_panel=_SKETCH)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the permutations.", rich_help_panel=_SKETCH)
    ] = None,
    normalize: Annotated[
        bool | None,
        typer.Option(
            "--normalize/--no-normalize",
            help="Lower case and collapse white space first.",
            rich_help_panel=_SKETCH,
        ),
    ] = None,
    keep: opt.KeepOption = opt.Keep.first,
    annotate: opt.Annotate = False,
    clusters_only: opt.ClustersOnly = False,
    format: opt.OutputFormat = None,
    compression: opt.OutputCompression = None,
    input_format: opt.InputFormat = None,
    blocksize: opt.Blocksize = "64MiB",
    on_corrupt: opt.OnCorruptOption = opt.OnCorrupt.skip,
    max_record_bytes: opt.MaxRecordBytes = "32MiB",
    max_reject_rate: opt.MaxRejectRate = 0.01,
    workers: opt.Workers = None,
    memory: opt.Memory = None,
    dry_run: opt.DryRun = False,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Keep one of the documents that share many shingles (MinHash with banding)."""
    given = dict(locals())
    from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

    workflow = FuzzyDeduplicationWorkflow(
        inputs,
        output,
        preset=preset.value,
        shingle=None if shingle is None else shingle.value,
        char_ngrams=ngram,
        num_bands=bands,
        minhashes_per_band=rows,
        seed=seed,
        normalize_text=normalize,
        **_common(given),
    )
    _carry_out(workflow, given)


def _common(given: dict[str, Any]) -> dict[str, Any]:
    """Options of the workflow, from the command's."""
    from gpucurate.spec.errors import UsageError

    if given["annotate"] and given["clusters_only"]:
        raise UsageError("--annotate writes documents and --clusters-only writes none: give one of them")
    return {
        "text_field": given["text_field"],
        "input_filetype": _value(given["input_format"]),
        "input_blocksize": _size(given, "blocksize"),
        "keep": given["keep"].value,
        "perform_removal": not (given["clusters_only"] or given["annotate"]),
        "annotate": given["annotate"],
        "format": _value(given["format"]),
        "compression": _value(given["compression"]),
        "max_reject_rate": given["max_reject_rate"],
        "on_corrupt": given["on_corrupt"].value,
        "max_record_bytes": _size(given, "max_record_bytes"),
    }


def _size(given: dict[str, Any], name: str) -> int:
    """Bytes of an option, which an error names."""
    from gpucurate.spec.bytesize import parse_bytes
    from gpucurate.spec.errors import ConfigurationError

    try:
        return parse_bytes(given[name])
    except ConfigurationError as error:
        raise ConfigurationError(f"--{name.replace('_', '-')}: {error}") from error


def _value(choice: Any) -> Any:
    return None if choice is None else choice.value


def _executor(workflow: DeduplicationWorkflow, given: dict[str, Any]) -> Executor:
    """Worker processes if they were asked for, or if the input is worth them."""
    from gpucurate.backends.executors import LocalExecutor, default_executor

    memory = None if given["memory"] is None else _size(given, "memory")
    if given["workers"] is not None:
        return LocalExecutor(given["workers"], memory)
    return default_executor(sum(file.size for file in workflow.listing.files), memory)


def _carry_out(workflow: DeduplicationWorkflow, given: dict[str, Any]) -> None:
    from rich.console import Console

    from gpucurate.cli.summary import print_plan, print_summary
    from gpucurate.spec.progress import Silent
    from gpucurate.telemetry.memory_watch import MemoryWatch
    from gpucurate.telemetry.progress import TerminalProgress

    console = Console(highlight=False, soft_wrap=True)
    executor = _executor(workflow, given)
    if given["dry_run"]:
        print_plan(console, workflow, executor)
        return
    with MemoryWatch() as watch:
        observer = Silent() if given["quiet"] else TerminalProgress(Console(stderr=True), watch)
        result = workflow.run(executor, observer, watch)
    print_summary(console, result)
