"""What an output file is called, by the input it comes from."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gpucurate.io.names import compression_of
from gpucurate.io.urls import redact
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import FileFormat, FileRange, InputFile

_KNOWN = (".jsonl", ".ndjson", ".json", ".parquet", ".pq")
_RUN_FOLDER = "_gpucurate"  # not an output's place
_LONGEST = 255  # bytes of a name that Linux file systems take
_ENDINGS = {"none": "", "gzip": ".gz", "zstd": ".zst"}


def output_name(name: str, ordinal: int, count: int, format: FileFormat, compression: str) -> str:
    """The output's path relative to the output folder.

    Suffixes of the input stay where they still say the truth. A file that was read in
    several ranges gives ``<stem>.<nnnnn><suffix>``.

    >>> output_name("en/pages.jsonl", 3, 8, "jsonl", "zstd")
    'en/pages.00003.jsonl.zst'
    """
    folder, slash, base = name.rpartition("/")
    plain, given = compression_of(base)
    packed = base[len(plain) :] if given != "none" else ""
    stem, suffix = _split(plain)
    if format == "parquet":
        suffix, packed = (suffix if suffix.lower() in (".parquet", ".pq") else ".parquet"), ""
    else:
        suffix = suffix if suffix.lower() in (".jsonl", ".ndjson", ".json") else ".jsonl"
        packed = packed if given == compression else _ENDINGS[compression]
    part = f".{ordinal:05d}" if count > 1 else ""
    return f"{folder}{slash}{stem}{part}{suffix}{packed}"


def output_kind(
    file: InputFile, format: FileFormat | None, compression: str | None
) -> tuple[FileFormat, str]:
    """Layout and compression of an output, by what was asked for and else by its input.

    JSON lines keep their compression, and Parquet is written as zstd.
    """
    chosen = format or file.format
    if compression is not None:
        return chosen, compression
    if chosen == "parquet":
        return chosen, "zstd"
    return chosen, file.compression if file.format == "jsonl" else "none"


def check_output_names(
    ranges: Iterable[FileRange], format: FileFormat | None, compression: str | None
) -> None:
    """Refuse ranges whose outputs would have one name, so that one would replace the other.

    Raises:
        ConfigurationError: naming two files and the output; or a name that is too long, or a
            compression that the output of a file cannot have.
    """
    from gpucurate.io.sink import check_kind

    taken: dict[str, InputFile] = {}
    for source in ranges:
        file = source.file
        kind = output_kind(file, format, compression)
        check_kind(*kind)
        name = output_name(file.name, source.ordinal, source.count, *kind)
        _check_path(name, file)
        if len(os.fsencode(name.rpartition("/")[2])) > _LONGEST:
            raise ConfigurationError(
                f"{redact(file.path)} would be written to {name}, a name of more than {_LONGEST} bytes: "
                "rename it, or choose a block size that leaves it whole"
            )
        other = taken.setdefault(name, file)
        if other is not file:
            raise ConfigurationError(
                f"{redact(other.path)} and {redact(file.path)} would both be written to {name}: "
                "rename one of them, or choose another format, compression or block size"
            )


def _check_path(name: str, file: InputFile) -> None:
    """Refuse names that lead elsewhere: in a store any text may be one."""
    parts = name.split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or parts[0] == _RUN_FOLDER or "\0" in name:
        raise ConfigurationError(
            f"{redact(file.path)} would be written to {name!r}, which is no path for an output: nothing may "
            f"be empty, '.' or '..', lie in {_RUN_FOLDER}, or hold a NUL; rename it"
        )


def _split(plain: str) -> tuple[str, str]:
    for suffix in _KNOWN:
        if plain.lower().endswith(suffix):
            return plain[: -len(suffix)], plain[-len(suffix) :]
    return plain, ""
