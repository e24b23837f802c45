"""What a deduplication does besides finding duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from gpucurate.dedup.policy import Policy, parse_policy
from gpucurate.pipeline.verdict import DEFAULT_MAX_REJECT_RATE, check_reject_rate
from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.place import local_folder, place_of
from gpucurate.spec.source import FileFormat
from gpucurate.stages.deduplication.sample import parse_share
from gpucurate.stages.text.io.writer import check_output_kind

_STATE = ("checkpoint_path", "cache_path")


@dataclass(frozen=True, kw_only=True)
class DedupOptions:
    """What a deduplication does besides finding duplicates.

    Attributes:
        text_field: column of text.
        input_filetype: ``jsonl`` or ``parquet``; by file names if None.
        input_blocksize: bytes a unit of work, 64 MiB by default.
        keep: which member of a cluster survives, as :mod:`gpucurate.dedup.policy` reads it:
            ``first``, ``longest``, ``shortest``, ``max:COLUMN``, ``min:COLUMN``,
            ``prefer:GLOB,...`` or ``prefer:COLUMN=GLOB,...``.
        within: a column; documents of different values of it are never duplicates.
        sample: a share of the documents by their hash, ``0.01`` or ``"1%"``; the others are
            not written.
        perform_removal: write the kept documents; else only clusters are written.
        annotate: write every document, with its cluster and whether it is kept.
        nemo_ids: write the ids to remove and the id generator that NeMo Curator's removal reads;
            without documents beside them.
        format: of the output; the input's if None.
        compression: of the output; the input's if None.
        max_reject_rate: share of documents that may be unreadable.
        on_corrupt: ``skip`` or ``fail`` on a broken file.
        max_record_bytes: longer records are rejected; 32 MiB by default.
        encoding_errors: ``reject`` records that are not UTF-8, or ``replace`` such bytes by U+FFFD.
        follow_external: whether links are followed that lead out of a folder of the input.
        require_unique_ids: whether the run ends where an id that documents bring comes twice.
        id_field: where that id stands, ``id`` by default; for ``require_unique_ids`` alone, since documents
            are known by file and row.
        checkpoint_path: where the state of the run lies, instead of ``_gpucurate/`` in the output.
        cache_path: NeMo Curator's name for the same.
        against: folders of indexes, or one of them; documents that these hold already are dropped.
        save_index: folder for an index of the documents that are kept.
        log_text: whether the report shows the beginning of texts, of 80 characters at most, as examples.
        on_infeasible: what happens where more is to be compared than fits into memory: ``fail``, or
            ``sample`` to go on with the part of the input that fits, and say so.
        device: ``cpu``, or ``cuda``: keys are taken and grouped on GPUs; results are the same.

    Raises:
        ConfigurationError: a policy, format or compression that there is not, or options that exclude each
            other.
    """

    text_field: str = "text"
    input_filetype: FileFormat | None = None
    input_blocksize: int | str | None = None
    keep: str = "first"
    within: str | None = None
    sample: float | str | None = None
    perform_removal: bool = True
    annotate: bool = False
    nemo_ids: bool = False
    format: FileFormat | None = None
    compression: str | None = None
    max_reject_rate: float = DEFAULT_MAX_REJECT_RATE
    on_corrupt: str = "skip"
    max_record_bytes: int | None = None
    encoding_errors: str = "reject"
    follow_external: bool = False
    require_unique_ids: bool = False
    id_field: str | None = None
    checkpoint_path: str | PathLike[str] | None = None
    cache_path: str | PathLike[str] | None = None
    against: Sequence[str | PathLike[str]] = ()
    save_index: str | PathLike[str] | None = None
    log_text: bool = False
    device: Device = "cpu"
    on_infeasible: Literal["fail", "sample"] = "fail"

    def __post_init__(self) -> None:
        parse_policy(self.keep)
        check_reject_rate(self.max_reject_rate)
        if self.device not in ("cpu", "cuda"):
            raise ConfigurationError(f"device {self.device!r} is not known: choose cpu or cuda")
        if self.checkpoint_path is not None and self.cache_path is not None:
            raise ConfigurationError("checkpoint_path and cache_path are two names of one option: give one")
        if self.id_field is not None and not self.require_unique_ids:
            raise ConfigurationError(
                f"id_field={self.id_field!r} (--id-field) says nothing by itself, since documents are known "
                "by file and row: give require_unique_ids (--require-unique-ids) with it"
            )
        if self.within == "":
            raise ConfigurationError("within='' names no column: name one, or leave it out")
        if self.on_infeasible not in ("fail", "sample"):
            raise ConfigurationError(f"on_infeasible is {self.on_infeasible!r}: it can be 'fail' or 'sample'")
        if self.sample is not None:
            parse_share(self.sample)
        if isinstance(self.against, str | PathLike):
            object.__setattr__(self, "against", (self.against,))
        check_output_kind(self.format, self.compression)
        if self.nemo_ids and (self.sample is not None or self.on_infeasible == "sample"):
            raise ConfigurationError(
                "ids for NeMo Curator tell which documents to remove, and of a sample its removal would keep "
                "whatever was not sampled: leave sample (or on_infeasible='sample') or nemo_ids out"
            )
        if self.nemo_ids and self.writes:
            raise ConfigurationError(
                "ids for NeMo Curator are written without documents beside them, which would be read as one "
                "data set: give perform_removal=False (--clusters-only)"
            )

    @property
    def policy(self) -> Policy:
        """What ``keep`` stands for."""
        return parse_policy(self.keep)

    @property
    def unique_field(self) -> str | None:
        """The field whose values must not come twice, if one is to be compared."""
        return (self.id_field or "id") if self.require_unique_ids else None

    @property
    def state_path(self) -> Path | None:
        """Where the state of the run lies, if not in the output.

        Raises:
            ConfigurationError: a URL.
        """
        name = "checkpoint_path" if self.cache_path is None else "cache_path"
        given = getattr(self, name)
        return None if given is None else local_folder(place_of(given), name)

    @property
    def writes(self) -> bool:
        """Whether documents are written, rather than clusters only."""
        return self.perform_removal or self.annotate

    def read_kwargs(self) -> dict[str, Any]:
        """Limits of the reader."""
        limits: dict[str, Any] = {"on_corrupt": self.on_corrupt, "encoding_errors": self.encoding_errors}
        if self.max_record_bytes is not None:
            limits["max_record_bytes"] = self.max_record_bytes
        return limits

    def decides(self) -> dict[str, Any]:
        """What changes results beyond the plan of the keys, and what the indexes hold."""
        without = {"max_reject_rate", "input_blocksize", "against", "save_index", "device", *_STATE}
        without.add("follow_external")  # the listing has a record of its own
        without |= {"require_unique_ids", "id_field"}  # they are a stage of the plan of the keys
        without.add("log_text")
        values = {key: value for key, value in asdict(self).items() if key not in without}
        if self.sample is not None:
            values["sample"] = str(parse_share(self.sample))  # 1% is 0.01
        if self.on_infeasible == "fail":  # as were all runs before there was a choice
            del values["on_infeasible"]
        return values


def dedup_options(given: dict[str, Any]) -> DedupOptions:
    """Options by name.

    Raises:
        ConfigurationError: a name that is none of them.
    """
    known = sorted(DedupOptions.__dataclass_fields__)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ConfigurationError(f"no such option: {', '.join(unknown)}; there are {', '.join(known)}")
    return DedupOptions(**given)
