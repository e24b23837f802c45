"""What Ray's errors mean to the scheduler."""

from __future__ import annotations

from typing import Literal

from ray import exceptions as rx

Fault = Literal["dead", "unknown", "host_memory", "lost_input", "environment", "user"]
"""A worker is gone; may be gone, and is to be killed; was killed since its machine lacked memory; cannot
have what it was given; could not be started by the fault of nobody's unit; or raised."""

_FAULTS: list[tuple[Fault, tuple[type[Exception], ...]]] = [
    ("host_memory", (rx.OutOfMemoryError,)),
    ("lost_input", (rx.ObjectLostError,)),
    ("environment", (rx.RuntimeEnvSetupError, rx.AuthenticationError)),
    ("unknown", (rx.ActorUnavailableError, rx.GetTimeoutError, rx.RpcError)),
    # An actor that is to be on a node which is gone cannot be scheduled: it is the node's end, not the run's.
    ("dead", (rx.ActorDiedError, rx.WorkerCrashedError, rx.NodeDiedError, rx.ActorUnschedulableError)),
]

_IN_CREATION = "creation task"
_NOISE = ("class_name:", "actor_id:", "pid:", "namespace:", "ip:", "The actor died unexpectedly before")


def fault_of(error: BaseException) -> Fault:
    """What an error of a call means.

    The order matters: some of Ray's errors are kinds of others.
    """
    if isinstance(error, rx.ActorDiedError) and _IN_CREATION in str(error):
        return "environment"  # the constructor does nothing: what failed is an import
    return next((fault for fault, types in _FAULTS if isinstance(error, types)), "user")


def sentence_of(error: BaseException) -> str:
    """What there is to say of it, in one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not line.startswith(_NOISE)]
    if _IN_CREATION in str(error):
        telling = telling[-1:]
    return " ".join(telling[:2])[:600] or type(error).__name__


def is_of_node(error: BaseException) -> bool:
    """Whether it was the node that ended, and so nothing that ran there is to blame."""
    return isinstance(error, rx.NodeDiedError | rx.ActorUnschedulableError) or "its node has died" in str(
        error
    )
