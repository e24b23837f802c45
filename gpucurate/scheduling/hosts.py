"""What units in work hold of each machine."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Host:
    """Memory of one machine that units in work are taken to hold.

    Attributes:
        working: bytes.
        peak: the most that ever were.
        flights: units in work there.
        held_for: a unit that is to be done alone there: nothing else is let in.
    """

    working: int = 0
    peak: int = 0
    flights: int = 0
    held_for: str | None = None


@dataclass(slots=True)
class Hosts:
    """All machines, with one budget for each.

    Attributes:
        budget: bytes of one machine.
    """

    budget: int
    _hosts: dict[str, Host] = field(default_factory=dict)
    _past_peak: int = 0  # of machines that are gone

    def __getitem__(self, node: str) -> Host:
        return self._hosts.setdefault(node, Host())

    def admits(self, node: str, size: int, unit: str, *, alone: bool = False) -> bool:
        """Whether a unit of ``size`` bytes fits; one that is too large may run with nothing else.

        One that is to be alone fits the machine only that is held for it.
        """
        host = self[node]
        if alone or host.held_for is not None:
            return host.held_for == unit and host.flights == 0
        return host.flights == 0 or host.working + size <= self.budget

    def take(self, node: str, size: int) -> None:
        """Count a unit in."""
        host = self[node]
        host.working += size
        host.flights += 1
        host.peak = max(host.peak, host.working)

    def give(self, node: str, size: int) -> None:
        """Count a unit out."""
        host = self[node]
        host.working -= size
        host.flights -= 1

    def hold(self, node: str, unit: str) -> None:
        """Let nothing but ``unit`` into a machine."""
        self[node].held_for = unit

    def unhold(self, unit: str) -> None:
        """The unit needs no machine of its own any more."""
        for host in self._hosts.values():
            if host.held_for == unit:
                host.held_for = None

    def holder_of(self, unit: str) -> str | None:
        """The machine that is held for a unit."""
        return next((node for node, host in self._hosts.items() if host.held_for == unit), None)

    def remove(self, node: str) -> None:
        """A machine is gone."""
        self._past_peak = self.peak
        self._hosts.pop(node, None)

    @property
    def peak(self) -> int:
        """The most that units in work held of one machine."""
        return max(self._past_peak, *(host.peak for host in self._hosts.values()), 0)
