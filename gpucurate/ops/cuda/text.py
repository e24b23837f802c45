"""Text on a device, cut into chunks; ``kernels/text.cuh`` is the other side."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda.device import Device


class ChunkList(NamedTuple):
    """Chunks of at most ``chunk_bytes``, at least one a document, in order.

    Attributes:
        first: int64[n+1], chunks before each document.
        document: int32[total], the document of each chunk.
        total: how many chunks.
        chunk_bytes: their size; the last of a document may be shorter.
    """

    first: Any
    document: Any
    total: int
    chunk_bytes: int


class DeviceText(NamedTuple):
    """Text of ``n`` documents as kernels take it.

    Attributes:
        data: uint8, contiguous.
        offsets: int64[n+1], contiguous; document i is ``data[offsets[i]:offsets[i+1]]``.
        chunks: the list of work.
    """

    data: Any
    offsets: Any
    chunks: ChunkList

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What every kernel over text begins with: data, offsets and the list of chunks."""
        first, document, total, chunk_bytes = self.chunks
        return self.data, self.offsets, first, document, np.int64(total), np.int32(chunk_bytes)


def device_text(text: TextBuffers, device: Device) -> DeviceText:
    """Text whose arrays lie on ``device``; a null document is an empty one.

    Raises:
        ValueError: the offsets are not those of a text column.
    """
    xp = device.xp
    data, offsets = xp.ascontiguousarray(text.data), xp.ascontiguousarray(text.offsets, np.int64)
    if offsets.ndim != 1 or len(offsets) == 0:
        raise ValueError(f"offsets of a text column have length n+1 >= 1; got shape {offsets.shape}")
    ends = int(offsets[0]), int(offsets[-1])
    if ends[0] < 0 or ends[1] > len(data):
        raise ValueError(
            f"offsets {ends[0]}..{ends[1]} leave the {len(data)} bytes of text: "
            "pass the whole data that they index"
        )
    return DeviceText(data, offsets, chunk_list(xp, offsets, device.chunk_bytes))


def chunk_list(xp: Any, offsets: Any, chunk_bytes: int) -> ChunkList:
    """The chunks of all documents.

    Args:
        xp: module of the array, ``numpy`` or ``cupy``.
        offsets: int64[n+1].
        chunk_bytes: see ``ChunkList``.
    """
    counts = xp.maximum((xp.diff(offsets) + (chunk_bytes - 1)) // chunk_bytes, 1)
    first = xp.zeros(len(offsets), np.int64)
    first[1:] = xp.cumsum(counts)
    total = int(first[-1])
    begins = xp.zeros(total, np.int32)
    begins[first[1:-1]] = 1  # each document has a chunk: no two begin at the same one
    return ChunkList(first, xp.cumsum(begins, dtype=np.int32), total, chunk_bytes)
