"""Joining a cluster that is there."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import dataclass, field

from gpucurate.backends.ray.probe import PROGRAM
from gpucurate.backends.ray.surroundings import LOOPBACK, QUIET, Surroundings
from gpucurate.spec.errors import ConfigurationError

CONNECT_SECONDS = 30.0
"""A cluster may take so long to answer."""

RAY_CLIENT = "ray://"


@dataclass(slots=True)
class Connection:
    """This process's part in a cluster.

    Attributes:
        address: ``host:port`` of its head.
    """

    address: str
    _surroundings: Surroundings = field(default_factory=Surroundings)

    def close(self) -> None:
        """Leave the cluster; it goes on."""
        import ray

        ray.shutdown()
        self._surroundings.restore()


def connect(address: str, namespace: str, seconds: float = CONNECT_SECONDS) -> Connection:
    """Join the cluster at an address.

    Args:
        address: ``host:port``, or ``auto`` for the one that runs on this machine.
        namespace: of the job.
        seconds: after which a cluster that does not answer is given up.

    Raises:
        ConfigurationError: there is none, it does not answer or let us in, or its Ray or Python is another.
    """
    if address.startswith(RAY_CLIENT):
        raise ConfigurationError(
            f"{address}: a driver behind Ray Client does not share the run's folders with the workers. On a "
            "machine of the cluster give host:port of the head, or send the command with `ray job submit`"
        )
    facts = _ask(address, seconds)
    _check_versions(facts)
    connection = Connection(facts["address"])
    connection._surroundings.set({**QUIET, **(LOOPBACK if facts["is_loopback"] == "True" else {})})
    import ray

    ray.init(address=connection.address, namespace=namespace, log_to_driver=False, logging_level="ERROR")
    return connection


def _ask(address: str, seconds: float) -> dict[str, str]:
    """What the cluster is, once another process has shown that it can be joined."""
    command = [sys.executable, "-P", "-c", PROGRAM, address, *map(str, sys.path)]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as late:
        facts = _facts((late.stdout or b"").decode())
        _check_versions(facts)
        raise ConfigurationError(_silent(address, facts, seconds)) from None
    facts = _facts(asked.stdout)
    _check_versions(facts)
    if "joined" not in facts:
        raise ConfigurationError(f"no Ray cluster could be joined at {address!r}: {_reason(asked.stderr)}")
    return facts


def _facts(said: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    for line in said.splitlines():
        if line.startswith("{"):
            facts.update({name: str(value) for name, value in json.loads(line).items()})
    return facts


def _silent(address: str, facts: dict[str, str], seconds: float) -> str:
    if facts:
        return (
            f"the head of the Ray cluster at {facts['address']} answers, but it could not be joined within "
            f"{seconds:.0f} s: is a node of it alive on this machine (ray start --address ...)?"
        )
    return (
        f"no Ray cluster answered at {address!r} within {seconds:.0f} s: is its head alive, and the port "
        "that of the head (6379 unless another was given)?"
    )


def _reason(said: str) -> str:
    if "AuthenticationError" in said or "find an authentication token" in said:
        return (
            "it asks for a token, and was shown none or a wrong one: set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN_PATH to the file of its token"
        )
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(" ")]
    return lines[-1] if lines else "it gave no reason"


def _check_versions(facts: dict[str, str]) -> None:
    if not facts.get("ray"):
        return
    import ray

    ours = {"ray": ray.__version__, "python": platform.python_version()}
    if any(_minor(facts[name]) != _minor(ours[name]) for name in ours):
        raise ConfigurationError(
            f"the cluster at {facts['address']} has Ray {facts['ray']} and Python {facts['python']}, and "
            f"here it is Ray {ours['ray']} and Python {ours['python']}: use the same minor versions of both"
        )


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
