"""Text on a device, cut into chunks; ``kernels/text.cuh`` is the other side."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.cuda.device import Device
from gpucurate.ops.unicode import unicode_tables


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
    """Text whose arrays lie on ``device``, with its list of work; a null document is an empty one.

    Raises:
        ValueError: the offsets are not those of a text column.
    """
    data, offsets = device_arrays(text, device)
    return DeviceText(data, offsets, chunk_list(device, device.xp.diff(offsets)))


def device_arrays(text: TextBuffers, device: Device) -> tuple[Any, Any]:
    """Data (uint8) and offsets (int64[n+1]) of text whose arrays lie on ``device``, contiguous.

    Raises:
        ValueError: the offsets are not those of a text column.
    """
    data = device.xp.ascontiguousarray(text.data)
    offsets = device.xp.ascontiguousarray(text.offsets, np.int64)
    if offsets.ndim != 1 or len(offsets) == 0:
        raise ValueError(f"offsets of a text column have length n+1 >= 1; got shape {offsets.shape}")
    ends = int(offsets[0]), int(offsets[-1])
    if ends[0] < 0 or ends[1] > len(data):
        raise ValueError(
            f"offsets {ends[0]}..{ends[1]} leave the {len(data)} bytes of text: "
            "pass the whole data that they index"
        )
    return data, offsets


def class_tables(device: Device) -> tuple[Any, Any]:
    """The two stages of the classes of code points, on the device."""
    unicode = unicode_tables()
    return device.table(unicode.class_stage1), device.table(unicode.class_stage2)


def prefix_sums(device: Device, counts: Any) -> Any:
    """int64[n+1]: the sums of the counts before each, and of all."""
    sums = device.xp.zeros(len(counts) + 1, np.int64)
    sums[1:] = device.xp.cumsum(counts, dtype=np.int64)
    return sums


def chunk_list(device: Device, nbytes: Any) -> ChunkList:
    """The chunks of documents of so many bytes, of ``device.chunk_bytes`` each.

    Args:
        device: where the array lies.
        nbytes: int64[n], on the device.
    """
    xp, size = device.xp, device.chunk_bytes
    first = prefix_sums(device, xp.maximum((nbytes + (size - 1)) // size, 1))
    total = int(first[-1])
    begins = xp.zeros(total, np.int32)
    begins[first[1:-1]] = 1  # each document has a chunk: no two begin at the same one
    return ChunkList(first, xp.cumsum(begins, dtype=np.int32), total, size)
