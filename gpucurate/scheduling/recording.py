"""What a scheduler was made of, as plain values: the first line of a log of its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Gpu, Need, Node
from gpucurate.spec.errors import InputError


@dataclass(frozen=True, slots=True)
class Recording:
    """What a scheduler is made of.

    Attributes:
        lanes: segments.
        units: (id, bytes) in order.
        policy: limits.
        nodes: machines at the start.
    """

    lanes: tuple[Lane, ...]
    units: tuple[tuple[str, int], ...]
    policy: Policy
    nodes: tuple[Node, ...]

    @classmethod
    def of(
        cls, lanes: Sequence[Lane], units: Sequence[tuple[str, int]], policy: Policy, nodes: Sequence[Node]
    ) -> Recording:
        """From the arguments of the scheduler."""
        return cls(tuple(lanes), tuple(units), policy, tuple(nodes))

    def to_plain(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Recording:
        """What :meth:`to_plain` was called on.

        Raises:
            InputError: values that a scheduler is not made of.
        """
        try:
            return cls(
                tuple(Lane(**{**lane, "need": Need(**lane["need"])}) for lane in plain["lanes"]),
                tuple((unit, nbytes) for unit, nbytes in plain["units"]),
                Policy(**plain["policy"]),
                tuple(Node(**{**n, "gpus": tuple(Gpu(**gpu) for gpu in n["gpus"])}) for n in plain["nodes"]),
            )
        except (TypeError, KeyError, ValueError) as error:
            raise InputError(
                f"a log does not begin with lanes, units, policy and nodes of this version: {error}"
            ) from error
