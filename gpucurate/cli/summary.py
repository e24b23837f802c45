"""What a deduplication prints."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from gpucurate.backends.executors import Executor
from gpucurate.cli.segments_summary import print_segments
from gpucurate.cli.similarity import print_banding, print_verification
from gpucurate.cli.transfers import print_crossings, print_transfers
from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.names import encode_name
from gpucurate.stages.deduplication.removal import DROPPED_BYTES, REJECTED_BYTES
from gpucurate.telemetry.report import RunReport
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from gpucurate.workflows.notes import NOT_SAMPLED_BYTES
from gpucurate.workflows.removal import TextDuplicatesRemovalWorkflow
from gpucurate.workflows.result import WorkflowRunResult

SHOWN_IGNORED = 3
NOTE = "note: "
"""What readers' counts of their notes begin with."""


def print_plan(
    console: Console, workflow: DeduplicationWorkflow | TextDuplicatesRemovalWorkflow, executor: Executor
) -> None:
    """What would be done; nothing is written."""
    listing, plan, units = workflow.survey()
    size = sum(file.size for file in listing.files)
    console.print(f"[bold]{workflow.name}[/]: dry run, nothing is written")
    console.print(
        f"input      {len(listing.files):,} files, {format_bytes(size)}, in {len(units):,} units of work"
    )
    _print_warnings(console, list(listing.warnings))
    _print_ignored(console, list(listing.ignored))
    console.print(f"sketch     {escape(str(workflow.sketch))}")
    if isinstance(workflow, DeduplicationWorkflow) and workflow.against.indexes:
        console.print(f"against    {workflow.against.documents:,} documents of indexes")
    if isinstance(workflow, FuzzyDeduplicationWorkflow) and workflow.banding is not None:
        print_banding(console, workflow.banding.to_dict())
    console.print(f"executor   {executor.describe()}")
    print_crossings(console, plan, units)
    if plan.uses_gpu and isinstance(workflow, DeduplicationWorkflow):
        each = 8 * workflow.sketch.bands + 1 + 8
        console.print(f"from GPU   {each} B a document: its keys, whether it has any, its length")
    console.print(f"output     {escape(encode_name(str(workflow.output)))}")
    console.print(f"plan       {plan.fingerprint}")


def print_summary(console: Console, result: WorkflowRunResult) -> None:
    """Books, clusters, times."""
    report = result.report
    if result.was_finished:
        console.print("an earlier run of this command had finished; this is its report")
    _print_warnings(console, [*report.warnings, *_notes(report)])
    _print_ignored(console, report.ignored)
    _print_books(console, report)
    if "banding" in report.details:
        print_banding(console, report.details["banding"])
    if "verification" in report.details:
        print_verification(console, report.details["verification"])
    if "clusters" in report.details:
        _print_clusters(console, report)
    if "segments" in report.details:
        print_segments(console, report)
    _print_indexes(console, report)
    _print_times(console, report)
    print_transfers(console, report)
    console.print(f"output     {escape(encode_name(str(result.output)))}")
    if "clusters" in report.details:
        console.print(f"clusters   {escape(encode_name(str(result.clusters_path)))}")
    if result.cuts_path.exists():
        console.print(f"cuts       {escape(encode_name(str(result.cuts_path)))}")


def _notes(report: RunReport) -> list[str]:
    """What readers noted about files; each phase counts it, so how often says nothing."""
    return [f"in the input: {name.removeprefix(NOTE)}" for name in report.counts if name.startswith(NOTE)]


def _print_warnings(console: Console, warnings: list[str]) -> None:
    for warning in warnings:
        console.print(f"[yellow]note[/]       {escape(encode_name(warning))}")


def _print_ignored(console: Console, ignored: list[tuple[str, str]]) -> None:
    for path, reason in ignored[:SHOWN_IGNORED]:
        console.print(f"[yellow]ignored[/]    {escape(encode_name(path))}: {escape(reason)}")
    if len(ignored) > SHOWN_IGNORED:
        console.print(f"[yellow]ignored[/]    {len(ignored) - SHOWN_IGNORED:,} more; all are in report.json")


def _print_books(console: Console, report: RunReport) -> None:
    books = report.books
    why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(books.dropped.items()))
    dropped = f"{books.total_dropped:,} dropped" + (f" ({why})" if len(books.dropped) > 1 else "")
    parts = [f"{books.read:,} read", f"{books.kept:,} kept", dropped]
    parts.append(f"{books.total_rejected:,} rejected")
    console.print("documents  " + ", ".join(parts))
    for reason, count in books.rejected.most_common():
        console.print(f"[yellow]rejected[/]   {count:,} {reason}")
    console.print("bytes      " + ", ".join(_bytes(report)))


def _bytes(report: RunReport) -> list[str]:
    """What came in and went out; of lines also what was dropped and rejected."""
    parts = [f"{format_bytes(report.input_bytes)} in"]
    if report.output_files:
        parts.append(f"{format_bytes(report.output_bytes)} out in {report.output_files:,} files")
    lines = {
        DROPPED_BYTES: "dropped",
        REJECTED_BYTES: "rejected",
        NOT_SAMPLED_BYTES: "not sampled or rejected",
    }
    for name, what in lines.items():
        if name in report.counts:
            parts.append(f"{format_bytes(report.counts[name])} {what}")
    return parts


def _print_clusters(console: Console, report: RunReport) -> None:
    found = report.details["clusters"]
    members = f"{found['documents']:,} documents, {found['duplicates']:,} of them duplicates"
    console.print(f"clusters   {found['count']:,} of {members}")
    for entry in found["largest"]:
        where = f"{entry['path']}:{entry['row']}"
        text = f"  {escape(entry['text'])}" if "text" in entry else ""
        console.print(f"  {entry['size']:>8,}  [dim]{escape(where)}[/]{text}")


def _print_indexes(console: Console, report: RunReport) -> None:
    against, saved = report.details.get("against"), report.details.get("index")
    if against:
        found = f"{against['dropped']:,} documents were there already, of {against['documents']:,}"
        console.print(f"against    {found} in {len(against['indexes'])} indexes")
    if saved:
        console.print(f"index      {escape(saved['folder'])}: {saved['documents']:,} documents")


def _print_times(console: Console, report: RunReport) -> None:
    phases = ", ".join(f"{phase.name} {phase.seconds:.1f} s" for phase in report.phases)
    rate = report.input_bytes / report.seconds if report.seconds else 0.0
    peak = f", peak memory {format_bytes(report.peak_memory_bytes)}"
    times = f"{report.seconds:.1f} s" + (f" ({phases})" if phases else "")
    console.print(f"time       {times}, {format_bytes(rate)}/s{peak}")
