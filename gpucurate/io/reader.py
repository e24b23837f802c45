"""Reading one range of one file, whatever its layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gpucurate.io.limits import ReadLimits
from gpucurate.io.piece import Piece
from gpucurate.ops.json_lines import MOST_FIELDS
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.source import FileRange

if TYPE_CHECKING:
    from gpucurate.io.fingerprint import Fingerprint
    from gpucurate.memory.gpu_memory import GpuMemory

__all__ = ["ReadLimits", "read_range"]


def read_range(
    source: FileRange,
    *,
    fields: Sequence[str] | None,
    text_fields: Sequence[str] = (),
    piece_bytes: int = 64 * MIB,
    keep_original: bool,
    limits: ReadLimits = ReadLimits(),  # noqa: B008 - frozen
    gpu: GpuMemory | None = None,
    fingerprint: Fingerprint | None = None,
) -> Iterator[Piece]:
    """The records of ``source``, piece by piece and in order.

    Boundaries of pieces depend on the file and the arguments alone. Memory holds about one
    piece at a time: of JSON lines at most ``piece_bytes`` and one line more, of Parquet what
    decodes to about ``piece_bytes``.

    Args:
        source: what to read. A range of Parquet that is the whole file is read whole,
            whatever its ``stop``.
        fields: columns of ``Piece.table``, in this order; null where a record has none. None
            asks for all: of Parquet its columns, of JSON lines the keys met in the piece.
            Without any (``()``), lines are located but not parsed, so that every line that is
            neither blank nor too large is a row; ``Piece.num_rows`` counts them.
        text_fields: those of ``fields`` that must be strings; a record in which one is
            missing, null or something else is rejected.
        piece_bytes: size of a piece.
        keep_original: whether pieces carry the untouched records.
        limits: what is put up with.
        gpu: memory of the GPU where tables are wanted, if they are; what cannot be read there is read on
            the host all the same, into Arrow tables: Parquet where originals are kept (its rows are Arrow's)
            or pylibcudf is not installed, and what :class:`DeviceParquetReader` and
            :class:`DeviceJsonlReader` leave to it.
        fingerprint: is given the bytes that are read.

    Raises:
        InputError: the file is missing, cannot be read, changed since it was listed, or is
            broken while ``limits.on_corrupt`` is ``fail``.
        ConfigurationError: ``text_fields`` not among ``fields``, or ``piece_bytes`` below 1.
    """
    if fields is not None and not set(text_fields) <= set(fields):
        missing = ", ".join(sorted(set(text_fields) - set(fields)))
        raise ConfigurationError(
            f"text field {missing} is not among the fields that are read: add it to fields"
        )
    if piece_bytes < 1:
        raise ConfigurationError(f"piece_bytes is {piece_bytes}: it must be at least 1")
    wanted: dict[str, Any] = {
        "fields": None if fields is None else list(dict.fromkeys(fields)),
        "text_fields": tuple(text_fields),
        "piece_bytes": piece_bytes,
        "keep_original": keep_original,
        "limits": limits,
        "fingerprint": fingerprint,
    }
    if source.file.format == "parquet":
        if gpu is not None and fields and not keep_original:
            from gpucurate.frame.cudf_parquet import is_available

            if is_available():
                from gpucurate.io.parquet.device_reader import DeviceParquetReader

                return iter(DeviceParquetReader(source, memory=gpu, **wanted))
        from gpucurate.io.parquet.reader import ParquetReader

        return iter(ParquetReader(source, **wanted))
    if gpu is not None and 0 < len(wanted["fields"] or ()) <= MOST_FIELDS:
        from gpucurate.io.jsonl.device_reader import DeviceJsonlReader

        return iter(DeviceJsonlReader(source, memory=gpu, **wanted))
    from gpucurate.io.jsonl.reader import JsonlReader

    return iter(JsonlReader(source, **wanted))
