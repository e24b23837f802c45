"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "absent", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing.

    Attributes:
        topic: what it belongs to, such as ``GPU``.
        name: of the thing.
        state: ``ok``; ``absent``: not there, and not needed unless it is asked for; ``wrong``: there, and
            something with it will fail.
        detail: version, size, or what is wrong.
        remedy: what to do, a command where one does it; None if nothing has to be done.
    """

    topic: str
    name: str
    state: State
    detail: str
    remedy: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
