"""What a deduplication of lines or paragraphs prints of what it cut."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from gpucurate.spec.bytesize import format_bytes
from gpucurate.telemetry.report import RunReport


def print_segments(console: Console, report: RunReport) -> None:
    """Segments, what was cut, and what occurred most."""
    found = report.details["segments"]
    console.print(
        f"segments   {found['seen']:,} seen, {found['compared']:,} compared, {found['distinct']:,} distinct"
    )
    console.print(
        f"cuts       {found['cut']:,} segments, {format_bytes(found['bytes_cut'])} of text, in "
        f"{found['documents_changed']:,} documents; {found['documents_emptied']:,} of them left empty"
    )
    for entry in found["most_frequent"]:
        where = f"{entry['path']}:{entry['row']}"
        text = f"  {escape(entry['text'])}" if "text" in entry else ""
        console.print(f"  {entry['count']:>8,}  [dim]{escape(where)}[/]{text}")
