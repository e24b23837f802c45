"""What a task in memory is known by."""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

import cloudpickle
import pyarrow as pa

from gpucurate.frame import table as frame
from gpucurate.tasks.task import Task


def content_digest(task: Task[Any]) -> str:
    """128 bits of BLAKE2b over the payload, hexadecimal: rows of a table, else its pickle.

    Equal digests mean equal payloads. Equal payloads of other kinds than tables need not have
    equal digests in two processes; they are then taken for different.
    """
    data = task.data
    if frame.is_table(data):
        data = frame.pack(_in_one_piece(frame.to_arrow(data)))
    raw = data if isinstance(data, bytes) else cloudpickle.dumps(data, protocol=pickle.HIGHEST_PROTOCOL)
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


def _in_one_piece(table: pa.Table) -> pa.Table:
    return table.combine_chunks()
