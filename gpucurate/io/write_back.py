"""Telling the disk early what to write."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_WRITE = 2  # SYNC_FILE_RANGE_WRITE of <linux/fs.h>


def begin_write_back(descriptor: int, offset: int, count: int) -> None:
    """Have the system start writing part of a file to the disk; does not wait, and promises nothing.

    A later ``fsync`` then waits for less. Without effect where the system has no such call.
    """
    if sync := _sync_file_range():
        sync(descriptor, offset, count, _WRITE)  # an error is one of the disk, which fsync tells


@cache
def _sync_file_range() -> Any:
    call = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if call is not None:
        call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return call
