"""Asks a cluster what it is, in a process of its own: a head that is half dead answers never.

Prints a line of JSON when it knows the versions of the cluster, and another when it has joined.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from gpucurate.backends.ray.surroundings import LOOPBACK

PROGRAM = (
    "import sys; address, *sys.path = sys.argv[1:]; "
    "from gpucurate.backends.ray.probe import main; main(address)"
)
"""Arguments are the address and the caller's ``sys.path``, which must be there before the first import."""

_LOCAL = ("127.0.0.1", "localhost")


def main(address: str) -> None:
    """Tell of the cluster at an address, or of the one on this machine (``auto``); then join it.

    Ends with one sentence on standard error where there is none, or several.
    """
    found = _only(_on_this_machine()) if address == "auto" else address
    is_loopback = found.rsplit(":", 1)[0] in _LOCAL and _serves_loopback(found)
    if is_loopback:
        os.environ.update(LOOPBACK)
    _say(address=found, is_loopback=is_loopback, **_versions(found))
    _rejoin(found, is_loopback)


def _say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def _on_this_machine() -> set[str]:
    from ray._private.services import find_gcs_addresses

    return set(find_gcs_addresses())


def _only(addresses: set[str]) -> str:
    if len(addresses) == 1:
        return addresses.pop()
    several = f"several run: {', '.join(sorted(addresses))}" if addresses else "none runs on this machine"
    sys.exit(f"{several}; give the address of one as host:port")


def _client(address: str) -> Any:
    from ray._raylet import GcsClient

    return GcsClient(address=address)


def _serves_loopback(address: str) -> bool:
    """Whether the cluster's nodes are at 127.0.0.1: else that is another name of the real address."""
    nodes = _client(address).get_all_node_info(timeout=10).values()
    return any(node.node_manager_address == _LOCAL[0] for node in nodes)


def _versions(address: str) -> dict[str, str]:
    from ray._common.usage.usage_lib import get_cluster_metadata

    facts = get_cluster_metadata(_client(address)) or {}
    return {"ray": facts.get("ray_version", ""), "python": facts.get("python_version", "")}


def _rejoin(address: str, is_loopback: bool) -> None:
    import ray
    from ray._private import ray_constants

    if is_loopback:
        ray_constants.ENABLE_RAY_CLUSTER = False  # it was imported before the variable was set
    ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    _say(joined=True)
    os._exit(0)  # nothing was begun that needs an end, and that may hang as well
