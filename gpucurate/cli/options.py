"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gpucurate.checkpoint.resume import Mode


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


class EncodingErrors(StrEnum):
    """What bytes that are not UTF-8 do."""

    REJECT = "reject"
    REPLACE = "replace"


class OnInfeasible(StrEnum):
    """What happens where not everything fits into memory."""

    fail = "fail"
    sample = "sample"


class Shingle(StrEnum):
    """What shingles are made of."""

    char = "char"
    word = "word"


class DeviceKind(StrEnum):
    """Where work is done."""

    cpu = "cpu"
    cuda = "cuda"


class ExecutorKind(StrEnum):
    """What runs the workers."""

    inline = "inline"
    local = "local"
    ray = "ray"


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
    str,
    typer.Option(
        "--output",
        "-o",
        help="Folder for the output, or its URL in a store (s3://, gs://, abfs://); new, empty, or of the "
        "same command.",
        show_default=False,
    ),
]


def _allow(schemes: list[str] | None) -> list[str] | None:
    """Take note while options are parsed: commands list their input as soon as they have them."""
    from gpucurate.io.urls import allow_protocol

    allow_protocol(*schemes or ())
    return schemes


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """How files are read."""

    input_format: Annotated[
        Format | None,
        typer.Option(
            help="Read only files of this format; by their names if not given.", rich_help_panel=_IN
        ),
    ] = None
    blocksize: Annotated[
        str,
        typer.Option(
            help="Bytes a unit of work; larger files are split. Decides names of outputs.",
            rich_help_panel=_IN,
        ),
    ] = "64MiB"
    allow_protocol: Annotated[
        list[str] | None,
        typer.Option(
            callback=_allow,
            metavar="http|https",
            help="Read URLs of this scheme too; may be given twice.",
            rich_help_panel=_IN,
            show_default=False,
        ),
    ] = None
    on_corrupt: Annotated[
        OnCorrupt,
        typer.Option(help="What a broken file does: skip the rest of it, or fail.", rich_help_panel=_IN),
    ] = OnCorrupt.skip
    max_record_bytes: Annotated[
        str, typer.Option(help="Longer records are rejected.", rich_help_panel=_IN)
    ] = "32MiB"
    encoding_errors: Annotated[
        EncodingErrors,
        typer.Option(
            help="What bytes that are not UTF-8 do: reject their record, or replace them by U+FFFD.",
            rich_help_panel=_IN,
        ),
    ] = EncodingErrors.REJECT
    follow_external: Annotated[
        bool,
        typer.Option(
            "--follow-external",
            help="Follow links that lead out of a folder that is given.",
            rich_help_panel=_IN,
        ),
    ] = False
    max_reject_rate: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Share of documents that may be unreadable.", rich_help_panel=_IN
        ),
    ] = 0.01

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {
            "input_filetype": value_of(self.input_format),
            "input_blocksize": bytes_of("--blocksize", self.blocksize),
            "on_corrupt": self.on_corrupt.value,
            "max_record_bytes": bytes_of("--max-record-bytes", self.max_record_bytes),
            "encoding_errors": self.encoding_errors.value,
            "follow_external": self.follow_external,
            "max_reject_rate": self.max_reject_rate,
        }


RequireUniqueIds = Annotated[
    bool,
    typer.Option(
        "--require-unique-ids",
        help="End with exit code 5 where an id comes twice in the input, naming it and both places.",
        rich_help_panel=_IN,
    ),
]


@dataclass(frozen=True, kw_only=True)
class ReadOptions(FileOptions):
    """How documents are read."""

    text_field: Annotated[str, typer.Option(help="Column of text.", rich_help_panel=_IN)] = "text"
    require_unique_ids: RequireUniqueIds = False
    id_field: Annotated[
        str | None,
        typer.Option(
            help="With --require-unique-ids: field of a document's id; id if not given.",
            show_default=False,
            rich_help_panel=_IN,
        ),
    ] = None

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        ids = {"require_unique_ids": self.require_unique_ids, "id_field": self.id_field}
        return {**super().settings(), **ids, "text_field": self.text_field}


@dataclass(frozen=True, kw_only=True)
class PolicyOptions:
    """Which documents survive."""

    keep: Annotated[
        str,
        typer.Option(
            help="Which member of a cluster survives: first, longest, shortest, max:COLUMN, min:COLUMN, "
            "prefer:GLOB,GLOB,... (of paths) or prefer:COLUMN=GLOB,...",
        ),
    ] = "first"

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {"keep": self.keep}


@dataclass(frozen=True, kw_only=True)
class ScopeOptions:
    """Which documents are compared with which."""

    within: Annotated[
        str | None,
        typer.Option(help="Look for duplicates only among documents of one value of this column."),
    ] = None
    sample: Annotated[
        str | None,
        typer.Option(help="Take only this share of the documents, by their text, such as 1% or 0.01."),
    ] = None

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {"within": self.within, "sample": self.sample}


@dataclass(frozen=True, kw_only=True)
class KindOptions:
    """What kind of files are written."""

    format: Annotated[
        Format | None,
        typer.Option("--format", help="Of the output; the input's if not given.", rich_help_panel=_OUT),
    ] = None
    compression: Annotated[
        Compression | None,
        typer.Option("--compression", help="Of the output; the input's if not given.", rich_help_panel=_OUT),
    ] = None

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {"format": value_of(self.format), "compression": value_of(self.compression)}


@dataclass(frozen=True, kw_only=True)
class WriteOptions(KindOptions):
    """What is written."""

    annotate: Annotated[
        bool,
        typer.Option(
            "--annotate",
            help="Write every document, with its cluster and whether it is kept.",
            rich_help_panel=_OUT,
        ),
    ] = False
    clusters_only: Annotated[
        bool,
        typer.Option("--clusters-only", help="Find clusters and write no documents.", rich_help_panel=_OUT),
    ] = False
    nemo_ids: Annotated[
        bool,
        typer.Option(
            "--nemo-ids",
            help="With --clusters-only: write ids to remove and an id generator for NeMo Curator.",
            rich_help_panel=_OUT,
        ),
    ] = False

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow.

        Raises:
            UsageError: options that exclude each other.
        """
        from gpucurate.spec.errors import UsageError

        if self.annotate and self.clusters_only:
            raise UsageError("--annotate writes documents and --clusters-only writes none: give one of them")
        return {
            "perform_removal": not (self.clusters_only or self.annotate),
            "annotate": self.annotate,
            "nemo_ids": self.nemo_ids,
            **super().settings(),
        }


LogText = Annotated[
    bool,
    typer.Option(
        "--log-text",
        help="Show and report the beginning of texts as examples, 80 characters at most.",
        rich_help_panel=_OUT,
    ),
]


@dataclass(frozen=True, kw_only=True)
class FittingOptions:
    """What happens where not everything fits into memory."""

    on_infeasible: Annotated[
        OnInfeasible,
        typer.Option(
            help="Where more is to be compared than fits into memory: fail, or go on with the part of the "
            "input that fits, and say so.",
            rich_help_panel=_RUN,
        ),
    ] = OnInfeasible.fail

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow."""
        return {"on_infeasible": self.on_infeasible.value}


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How the work is carried out."""

    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes; one a core if not given.", rich_help_panel=_RUN),
    ] = None
    executor: Annotated[
        ExecutorKind | None,
        typer.Option(
            help="inline: this process; local: worker processes of this machine; ray: a Ray cluster. By "
            "default inline for small inputs, else local.",
            rich_help_panel=_RUN,
        ),
    ] = None
    ray_address: Annotated[
        str | None,
        typer.Option(
            help="Cluster to join: host:port, or auto for the one on this machine. Means --executor ray.",
            rich_help_panel=_RUN,
        ),
    ] = None
    ray_dashboard: Annotated[
        bool,
        typer.Option(
            "--ray-dashboard",
            help="Give a Ray cluster that is started for the run a dashboard, on this machine alone.",
            rich_help_panel=_RUN,
        ),
    ] = False
    memory: Annotated[
        str | None,
        typer.Option(
            help="Bytes that the run may use, such as 4GB; 60% of what is free if not given.",
            rich_help_panel=_RUN,
        ),
    ] = None
    checkpoint_path: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the state of the run, instead of _gpucurate/ in the output.",
            show_default=False,
            rich_help_panel=_RUN,
        ),
    ] = None
    resume_changed: Annotated[
        bool,
        typer.Option(
            "--resume-changed",
            help="Where input or options are others than an earlier run's: keep what holds, redo the rest.",
            rich_help_panel=_RUN,
        ),
    ] = False
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Remove what an earlier run wrote to the output, and nothing else, and begin anew.",
            rich_help_panel=_RUN,
        ),
    ] = False
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over",
            help="Take the output from a run that is not known to be dead, such as one of another machine.",
            rich_help_panel=_RUN,
        ),
    ] = False
    stall_timeout: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Seconds without progress of a unit after which its worker tells where it is, is killed, "
            "and the unit is done again; 1800 if not given.",
            rich_help_panel=_RUN,
        ),
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Check input and options, say what would be done, write nothing.",
            rich_help_panel=_RUN,
        ),
    ] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=_RUN)] = False
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks of errors.", rich_help_panel=_RUN)
    ] = False

    @property
    def runs_on_ray(self) -> bool:
        """Whether a Ray cluster is asked for.

        Raises:
            UsageError: options that exclude each other.
        """
        from gpucurate.spec.errors import UsageError

        asks = self.ray_address is not None or self.ray_dashboard
        if asks and self.executor not in (None, ExecutorKind.ray):
            raise UsageError(
                f"--ray-address and --ray-dashboard are about Ray, and --executor is {self.executor}: "
                "give --executor ray with them"
            )
        if self.ray_address is not None and self.ray_dashboard:
            raise UsageError(
                "--ray-dashboard is about a cluster that is started for the run, and --ray-address joins one "
                "that is there: give one of them"
            )
        return asks or self.executor is ExecutorKind.ray

    @property
    def resume(self) -> Mode:
        """What becomes of an earlier run.

        Raises:
            UsageError: options that exclude each other.
        """
        from gpucurate.spec.errors import UsageError

        if self.fresh and self.resume_changed:
            raise UsageError(
                "--fresh begins anew and --resume-changed keeps what it can: give one of them, or none"
            )
        return "fresh" if self.fresh else "changed" if self.resume_changed else "auto"

    @property
    def config(self) -> dict[str, Any]:
        """Settings of the executor that were given."""
        return {} if self.stall_timeout is None else {"stall_timeout_s": self.stall_timeout}

    @property
    def memory_bytes(self) -> int | None:
        """The limit, if there is one."""
        return None if self.memory is None else bytes_of("--memory", self.memory)


def bytes_of(option: str, text: str) -> int:
    """Bytes of an option, which an error names.

    Raises:
        ConfigurationError: not a number of bytes.
    """
    from gpucurate.spec.bytesize import parse_bytes
    from gpucurate.spec.errors import ConfigurationError

    try:
        return parse_bytes(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{option}: {error}") from error


def value_of(choice: StrEnum | None) -> str | None:
    """The value of a choice that need not be made."""
    return None if choice is None else choice.value
