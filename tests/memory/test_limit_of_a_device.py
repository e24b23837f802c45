"""A batch of text that does not fit on a device is done in parts, and gives what the CPU gives."""

import gc

import numpy as np
import pytest

from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import download, upload
from gpucurate.memory.gpu_pool import open_gpu_pool
from gpucurate.memory.piece_size import PieceSize
from gpucurate.memory.pinned import PinnedRing
from gpucurate.memory.splitting import in_parts
from gpucurate.ops.char_length import char_length
from gpucurate.spec.errors import OverBudgetError

TEXT = TextBuffers.from_strings([f"Dokument {number} über Größe " * (number % 40) for number in range(300)])


def halve(text):
    middle = len(text) // 2
    if not middle:
        return None
    cut = int(text.offsets[middle])
    return (
        TextBuffers(text.data[:cut], text.offsets[: middle + 1], None),
        TextBuffers(text.data[cut:], text.offsets[middle:] - cut, None),
    )


def lengths_on_device(text):
    there = TextBuffers(upload(np.ascontiguousarray(text.data)), upload(text.offsets), None)
    return download(char_length(there))


@pytest.fixture
def limited(cuda, request):
    """Sets the bytes that arrays on the device may take."""
    if not hasattr(cuda.cuda, "set_limit"):
        pytest.skip("a real device has its limit by a pool: tests/gpu/test_memory.py")
    gc.collect()
    yield cuda.cuda.set_limit
    cuda.cuda.set_limit(None)


def lengths(text, learned, released):
    return in_parts(
        lengths_on_device,
        text,
        halve,
        np.concatenate,
        size=lambda part: len(part.data),
        release=lambda: released.append(True),
        learned=learned,
    )


def test_lengths_are_those_of_the_cpu_and_the_next_batch_is_cut_before(limited):
    limited(len(TEXT.data) // 2)
    learned, released = PieceSize(), []
    assert lengths(TEXT, learned, released).tolist() == char_length(TEXT).tolist()
    assert released
    assert learned.limit < len(TEXT.data)
    failures = len(released)
    assert lengths(TEXT, learned, released).tolist() == char_length(TEXT).tolist()
    assert len(released) == failures


def test_a_document_larger_than_the_device_is_told(limited):
    limited(10_000)
    with pytest.raises(OverBudgetError, match="size 50,000"):
        lengths(TextBuffers.from_strings(["a", "b" * 50_000]), PieceSize(), [])


def test_an_allocation_that_fails_is_tried_again_without_what_lies_idle(cuda):
    pool = open_gpu_pool(64 << 20)
    array = cuda.zeros(48 << 20, np.uint8)
    del array
    assert pool.reserved_bytes >= 48 << 20
    with pytest.raises(MemoryError):
        cuda.zeros(65 << 20, np.uint8)
    assert pool.reserved_bytes == pool.current_bytes == 0
    pool.close()


def test_page_locked_buffers_go_round(cuda):
    ring, arrays = PinnedRing(2, 64), []
    for value in range(6):
        with ring.take() as slot:
            slot.array[:] = value
            arrays.append(upload(slot.array.copy()))
            event = cuda.cuda.Event()
            event.record()
            slot.free_after(event)
    ring.drain()
    assert [int(array.max()) for array in arrays] == list(range(6))
