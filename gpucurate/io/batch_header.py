"""What a batch is beside its rows, as JSON has it."""

from __future__ import annotations

from typing import Any

import orjson

from gpucurate.spec.names import RESERVED_PREFIX, decode_name, encode_name
from gpucurate.spec.source import FileRange, InputFile
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.origin import Origin

ROW = f"{RESERVED_PREFIX}row."
"""Begins the names of columns of original rows."""


def header_of(batch: DocumentBatch) -> dict[str, Any]:
    """Names, history and origin of a batch.

    Raises:
        TypeError: its metadata is more than JSON has.
    """
    return {
        "rows": batch.num_items,
        "dataset": batch.dataset_name,
        "task": encode_name(batch.task_id),
        "metadata": orjson.loads(orjson.dumps(batch._metadata)),
        "changed": sorted(batch._changed),
        "origin": _told(batch._origin),
    }


def _told(origin: Origin | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    return {
        "name": encode_name(origin.name),
        "ordinal": origin.ordinal,
        "count": origin.count,
        "first_record": origin.first_record,
        "place": origin.place,
        "source": None if origin.source is None else _range(origin.source),
    }


def _range(source: FileRange) -> list[Any]:
    file = source.file
    of_file = [
        encode_name(file.path), encode_name(file.name), file.size, file.mtime_ns, file.etag,
        file.format, file.compression,
    ]  # fmt: skip
    return [of_file, source.start, source.stop, source.ordinal, source.count]


def origin_of(told: dict[str, Any] | None) -> Origin | None:
    """The origin that a header tells of."""
    if told is None:
        return None
    source = None
    if told["source"] is not None:
        (path, name, *rest), *where = told["source"]
        source = FileRange(InputFile(decode_name(path), decode_name(name), *rest), *where)
    place = None if told["place"] is None else tuple(told["place"])
    return Origin(
        source, decode_name(told["name"]), told["ordinal"], told["count"], told["first_record"], place
    )
