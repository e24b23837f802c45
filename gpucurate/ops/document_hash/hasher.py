"""The hash of ``contract.py`` for bytes that arrive in pieces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gpucurate.ops.dispatch import implementation
from gpucurate.ops.document_hash.contract import CHUNK


class DocumentHasher:
    """Hash of a stream: the same value as ``document_hash`` of all its bytes together.

    Example:
        >>> hasher = DocumentHasher()
        >>> hasher.update(b"one ")
        >>> hasher.update(b"document")
        >>> hasher.hexdigest()
        'f87745d79ff25fb886e4e1734999149f'
    """

    def __init__(self) -> None:
        self._chunk = np.zeros(CHUNK, np.uint8)
        self._filled = 0
        self._length = 0
        self._sums = np.zeros(2, np.uint64)
        self._kernels = implementation("gpucurate.ops.document_hash", self._chunk)

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take in more bytes."""
        arrived = np.frombuffer(data, np.uint8)
        while len(arrived):
            if not self._filled and len(arrived) >= CHUNK:
                self._length += CHUNK
                self._add(arrived[:CHUNK], self._sums)
                arrived = arrived[CHUNK:]
                continue
            taken = min(CHUNK - self._filled, len(arrived))
            self._chunk[self._filled : self._filled + taken] = arrived[:taken]
            self._filled += taken
            self._length += taken
            arrived = arrived[taken:]
            if self._filled == CHUNK:
                self._add(self._chunk, self._sums)
                self._filled = 0

    def digest(self) -> tuple[int, int]:
        """The hash of all bytes so far; more may follow."""
        sums = self._sums.copy()
        if self._filled:
            self._add(self._chunk[: self._filled], sums)
        first, second = self._kernels.finish(sums, self._length)
        return int(first), int(second)

    def hexdigest(self) -> str:
        """``digest`` as 32 hexadecimal digits."""
        return "{:016x}{:016x}".format(*self.digest())

    def _add(self, chunk: npt.NDArray[np.uint8], sums: npt.NDArray[np.uint64]) -> None:
        """Add the last chunk of those that have arrived."""
        number = max(0, self._length - 1) // CHUNK
        self._kernels.add_chunk(chunk, len(chunk), number, sums)
