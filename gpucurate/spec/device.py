"""Where a batch lives."""

from __future__ import annotations

from typing import Literal

Device = Literal["cpu", "cuda"]
