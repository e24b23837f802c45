"""What the readers of a device leave to those of the host."""

from __future__ import annotations


class LeaveToHost(Exception):  # noqa: N818 - no error: the host's reader takes it
    """It is not such as the device's reader can take; the message is why."""
