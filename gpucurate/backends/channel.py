"""The driver's end of the socket to a worker: it never waits for the other end.

A worker that is stopped in the middle of a message, or whose stages let none of its threads run, must
not stop the driver with it. Frames are those of ``multiprocessing.connection``, which the worker uses.
"""

from __future__ import annotations

import socket
import struct
from collections import deque

_SHORT, _LONG = struct.Struct("!i"), struct.Struct("!Q")
_LONGEST_SHORT = 0x7FFFFFFF
_IS_LONG = -1
_READ_BYTES = 1 << 18


class Channel:
    """Messages as bytes, both ways.

    Args:
        end: a connected socket, which is closed with the channel.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._unsent: deque[memoryview] = deque()
        self._received = bytearray()
        self._is_over = False

    def fileno(self) -> int:
        """Of the socket."""
        return self._socket.fileno()

    @property
    def is_behind(self) -> bool:
        """Whether there is something to send that the other end has not taken yet."""
        return bool(self._unsent)

    def send(self, message: bytes) -> None:
        """Send a message, or as much as the other end takes now; :meth:`flush` sends the rest."""
        self._unsent += (memoryview(_header(len(message))), memoryview(message))
        self.flush()

    def flush(self) -> None:
        """Send what the other end takes now; nothing more once it has gone."""
        while self._unsent:
            part = self._unsent[0]
            try:
                sent = self._socket.send(part)
            except BlockingIOError:
                return
            except OSError:  # it is gone, which whoever receives is told
                self._unsent.clear()
                return
            if sent == len(part):
                self._unsent.popleft()
            else:
                self._unsent[0] = part[sent:]

    def receive(self) -> list[bytes]:
        """Messages that are whole; none if there is none yet.

        Raises:
            EOFError: the other end is closed, and there is no message left.
        """
        self._read()
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        if self._is_over and not messages:
            raise EOFError("the other end of the socket is closed")
        return messages

    def _read(self) -> None:
        while not self._is_over:
            try:
                part = self._socket.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                part = b""
            self._received += part
            self._is_over = not part

    def _next(self) -> bytes | None:
        """Take the first message, if all of it is there."""
        held, begin = self._received, _SHORT.size
        if len(held) < begin:
            return None
        size: int = _SHORT.unpack_from(held)[0]
        if size == _IS_LONG:
            begin += _LONG.size
            if len(held) < begin:
                return None
            size = _LONG.unpack_from(held, _SHORT.size)[0]
        if len(held) < begin + size:
            return None
        message = bytes(memoryview(held)[begin : begin + size])
        del held[: begin + size]
        return message

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def _header(size: int) -> bytes:
    if size <= _LONGEST_SHORT:
        return _SHORT.pack(size)
    return _SHORT.pack(_IS_LONG) + _LONG.pack(size)
