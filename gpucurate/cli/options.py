"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Keep(StrEnum):
    """Which member of a cluster survives."""

    first = "first"
    longest = "longest"
    shortest = "shortest"


class Format(StrEnum):
    """Layout of files."""

    jsonl = "jsonl"
    parquet = "parquet"


class Compression(StrEnum):
    """Compression of output files."""

    none = "none"
    gzip = "gzip"
    zstd = "zstd"
    snappy = "snappy"


class OnCorrupt(StrEnum):
    """What a broken file does."""

    skip = "skip"
    fail = "fail"


class Shingle(StrEnum):
    """What shingles are made of."""

    char = "char"
    word = "word"


class Preset(StrEnum):
    """Settings that others have published corpora with."""

    default = "default"
    nemo = "nemo"
    fineweb = "fineweb"
    dolma = "dolma"


_IN, _OUT, _RUN = "Input", "Output", "Run"

Inputs = Annotated[
    list[str],
    typer.Argument(help="Files, folders, globs or URLs of JSONL (.gz, .zst) or Parquet.", show_default=False),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="Folder for the output; new, empty, or of the same command.",
        show_default=False,
    ),
]
TextField = Annotated[str, typer.Option(help="Column of text.", rich_help_panel=_IN)]
InputFormat = Annotated[
    Format | None,
    typer.Option(help="Read only files of this format; by their names if not given.", rich_help_panel=_IN),
]
Blocksize = Annotated[
    str,
    typer.Option(
        help="Bytes a unit of work; larger files are split. Decides names of outputs.", rich_help_panel=_IN
    ),
]
OnCorruptOption = Annotated[
    OnCorrupt,
    typer.Option(help="What a broken file does: skip the rest of it, or fail.", rich_help_panel=_IN),
]
MaxRecordBytes = Annotated[str, typer.Option(help="Longer records are rejected.", rich_help_panel=_IN)]
MaxRejectRate = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Share of documents that may be unreadable.", rich_help_panel=_IN),
]
KeepOption = Annotated[Keep, typer.Option(help="Which member of a cluster survives.")]
Annotate = Annotated[
    bool,
    typer.Option(
        "--annotate",
        help="Write every document, with its cluster and whether it is kept.",
        rich_help_panel=_OUT,
    ),
]
ClustersOnly = Annotated[
    bool, typer.Option("--clusters-only", help="Find clusters and write no documents.", rich_help_panel=_OUT)
]
OutputFormat = Annotated[
    Format | None,
    typer.Option("--format", help="Of the output; the input's if not given.", rich_help_panel=_OUT),
]
OutputCompression = Annotated[
    Compression | None,
    typer.Option("--compression", help="Of the output; the input's if not given.", rich_help_panel=_OUT),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Worker processes; one a core if not given.", rich_help_panel=_RUN)
]
Memory = Annotated[
    str | None,
    typer.Option(
        help="Bytes that the run may use, such as 4GB; 60% of what is free if not given.",
        rich_help_panel=_RUN,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Check input and options, say what would be done, write nothing.",
        rich_help_panel=_RUN,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=_RUN)]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.", rich_help_panel=_RUN)]
