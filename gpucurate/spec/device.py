"""Where a batch lives."""

from __future__ import annotations

from typing import Literal, get_args

Device = Literal["cpu", "cuda"]

DEVICES: tuple[Device, ...] = get_args(Device)
