"""Messages to and from a worker that may stop in the middle of one."""

from __future__ import annotations

import socket
import threading
import time
from multiprocessing.connection import Connection

import pytest

from gpucurate.backends.channel import Channel, _header


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    channel, connection = Channel(ours), Connection(theirs.detach())
    yield channel, connection
    channel.close()
    if not connection.closed:
        connection.close()


def received(channel, count):
    messages = []
    while len(messages) < count:
        messages += channel.receive()
        time.sleep(0.001)
    return messages


def test_messages_arrive_whole_and_in_order(ends):
    channel, connection = ends
    sent = [b"", b"a", b"bc" * 10, bytes(3_000_000), b"last"]
    thread = threading.Thread(target=lambda: [connection.send_bytes(message) for message in sent])
    thread.start()
    assert received(channel, len(sent)) == sent
    thread.join()
    assert channel.receive() == []


def test_what_the_other_end_does_not_take_waits_and_nobody_with_it(ends):
    channel, connection = ends
    sent = [bytes([i]) * 1_000_000 for i in range(5)]
    for message in sent:
        channel.send(message)  # nobody reads
    assert channel.is_behind
    got = []
    thread = threading.Thread(target=lambda: got.extend(connection.recv_bytes() for _ in sent))
    thread.start()
    while channel.is_behind:
        channel.flush()
    thread.join()
    assert got == sent


def test_half_a_message_is_none(ends):
    channel, connection = ends
    raw = _header(6) + b"abcdef"
    with socket.socket(fileno=connection.fileno()) as theirs:
        for at in range(len(raw)):
            assert channel.receive() == []
            theirs.send(raw[at : at + 1])
        assert channel.receive() == [b"abcdef"]
        theirs.send(raw[:7])
        assert channel.receive() == []
        theirs.detach()
    connection.close()
    with pytest.raises(EOFError):
        channel.receive()


def test_messages_before_the_end_are_not_lost(ends):
    channel, connection = ends
    connection.send_bytes(b"report")
    connection.close()
    assert channel.receive() == [b"report"]
    with pytest.raises(EOFError):
        channel.receive()
    channel.send(b"more")
    channel.send(b"and more")
    assert not channel.is_behind


def test_a_header_says_more_than_2_gib_as_connections_do():
    assert _header(5) == b"\x00\x00\x00\x05"
    assert _header(1 << 31) == b"\xff\xff\xff\xff" + (1 << 31).to_bytes(8)
