"""What an output file is called, by the input it comes from."""

from __future__ import annotations

from gpucurate.io.names import compression_of
from gpucurate.spec.source import FileFormat

_KNOWN = (".jsonl", ".ndjson", ".json", ".parquet", ".pq")
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


def _split(plain: str) -> tuple[str, str]:
    for suffix in _KNOWN:
        if plain.lower().endswith(suffix):
            return plain[: -len(suffix)], plain[-len(suffix) :]
    return plain, ""
