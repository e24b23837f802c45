"""What a file holds, told by its name."""

from __future__ import annotations

from gpucurate.spec.source import Compression, FileFormat

RECOGNISED = ".jsonl, .ndjson (plain or with .gz, .gzip, .zst, .zstd), .parquet, .pq"

RECOGNISED_OF: dict[FileFormat, str] = {
    "jsonl": ".jsonl, .ndjson, .json (plain or with .gz, .gzip, .zst, .zstd)",
    "parquet": ".parquet, .pq",
}

_COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_JSONL = (".jsonl", ".ndjson")
_PARQUET = (".parquet", ".pq")
_LEFTOVERS = (".crc", ".tmp", ".part")


def compression_of(name: str) -> tuple[str, Compression]:
    """``name`` without the suffix of its compression, and the compression."""
    lower = name.lower()
    for suffix, compression in _COMPRESSIONS.items():
        if lower.endswith(suffix):
            return name[: -len(suffix)], compression
    return name, "none"


def hidden_reason(name: str) -> str | None:
    """Why a file or folder of this base name is passed over in a walk, or None."""
    if name.startswith("."):
        return "hidden"
    if name.startswith("_"):
        return "begins with an underscore, as run folders and markers do"
    return None


def recognise(name: str, wanted: FileFormat | None) -> tuple[FileFormat, Compression] | str:
    """Layout and compression by the base name of a file, or why it is not input.

    ``.json`` counts as JSON lines only when ``wanted`` says so.
    """
    lower = name.lower()
    if lower.endswith(_LEFTOVERS):
        return "a temporary or checksum file"
    stem, compression = compression_of(lower)
    if stem.endswith(_PARQUET) and compression == "none":
        found: FileFormat = "parquet"
    elif stem.endswith(_JSONL) or (stem.endswith(".json") and wanted == "jsonl"):
        found = "jsonl"
    elif stem.endswith(".json"):
        return "a .json file may be anything: say that the format is jsonl if it holds a record a line"
    else:
        return "not a name of JSON lines or Parquet"
    if wanted is not None and found != wanted:
        return f"is {found}, and {wanted} was asked for"
    return found, compression
