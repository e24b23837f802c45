"""One owner of a run folder in a store: an object for each epoch, which its owner renews."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import orjson

from gpucurate.checkpoint.object_store import ObjectStore
from gpucurate.checkpoint.process_age import identity, is_alive
from gpucurate.checkpoint.store import FOLDER
from gpucurate.disk.crash import reach
from gpucurate.spec.errors import GpucurateError, OutputInUseError, StorageError

EPOCHS = f"{FOLDER}/epochs/"

RENEW_SECONDS = 10.0
"""An owner writes its object again so often."""

STALE_SECONDS = 60.0
"""An owner whose object was not written for so long is taken to be gone."""


class StoreOwner:
    """Owns a run folder until it is closed, or taken over.

    The object of the next epoch is put on the condition that there is none, so that of two who try one
    gets it. While its owner lives it is written again every few seconds; whoever owns an epoch that
    another one follows has lost the folder, and stops at the next thing that it would make visible.

    Args:
        store: of the output.
        take_over: take it from an owner that seems to be alive.

    Raises:
        OutputInUseError: another process owns it; the message names that process.
        StorageError: the store cannot be written to.

    Attributes:
        epoch: number of this owner, from 1.
        nonce: of this owner; no other one ever has it.
        before: nonce of the owner before it; empty if there was none.
    """

    def __init__(self, store: ObjectStore, *, take_over: bool = False) -> None:
        self._store = store
        last = self._last()
        self.before = self._refuse_living(last, take_over) if last else ""
        self.epoch = last + 1
        self._is_ours = {**identity(), "since": time.time()}  # the last for people: nothing is decided by it
        self.nonce = uuid.uuid4().hex
        self._take()
        self._lost: str | None = None
        self._confirmed = _now()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="owner", daemon=True)
        self._thread.start()

    def _last(self) -> int:
        """The newest epoch, 0 if there is none."""
        return max((_number(name) for name, _ in self._store.entries(EPOCHS)), default=0)

    def _read(self, epoch: int) -> dict[str, Any]:
        for name, size in self._store.entries(_name(epoch)):
            try:
                values: dict[str, Any] = orjson.loads(self._store.read(name, 0, size))
                return {"host": values["host"], "pid": values["pid"], **values}
            except (ValueError, KeyError, TypeError) as error:
                raise StorageError(
                    f"{self._store.shown}/{name} is damaged ({error}): remove it, if no run writes there"
                ) from error
        return {"host": "?", "pid": 0, "is_over": True}  # it was removed by hand

    def _refuse_living(self, epoch: int, take_over: bool) -> str:
        """The nonce of an owner that is gone, or does not count."""
        owner = self._read(epoch)
        if not take_over and self._is_alive(epoch, owner):
            raise OutputInUseError(
                f"{self._store.shown} is being written to by another run ({_who(owner)}): wait for it, or "
                "choose another output; of one that was lost with its machine, --take-over takes it at once"
            )
        return str(owner.get("nonce", ""))

    def _is_alive(self, epoch: int, owner: dict[str, Any]) -> bool:
        if owner.get("is_over"):
            return False
        seen = is_alive(owner)
        if seen is not None:
            return seen
        return (self._store.age(_name(epoch)) or 0.0) <= STALE_SECONDS

    def _take(self) -> None:
        reach("owner.before_take")
        content = self._content()
        if not self._store.create(_name(self.epoch), content):
            taken = self._read(self.epoch)
            if taken.get("nonce") != self.nonce:  # else the answer to our own put was lost
                raise OutputInUseError(
                    f"{self._store.shown} was taken by another run just now ({_who(taken)}): "
                    "wait for it, or choose another output"
                )
        reach("owner.after_take")

    def _content(self, **more: Any) -> bytes:
        return orjson.dumps({**self._is_ours, "epoch": self.epoch, "nonce": self.nonce, **more})

    def check(self) -> None:
        """Whether the folder is still this process's; asks the store where it did not a moment ago.

        Raises:
            StorageError: another run has taken it over.
        """
        if self._lost is None and _now() - self._confirmed > 3 * RENEW_SECONDS:
            self._confirm()
        if self._lost is not None:
            raise StorageError(self._lost)

    def _confirm(self) -> None:
        """Look for an epoch after this one."""
        last = self._last()
        if last > self.epoch:
            self._lost = (
                f"{self._store.shown} was taken over by another run ({_who(self._read(last))}): this one ends"
            )
        else:
            self._confirmed = _now()

    def _renew(self) -> None:
        while not self._ending.wait(RENEW_SECONDS) and self._lost is None:
            try:
                self._confirm()
                if self._lost is None:
                    self._store.rewrite(_name(self.epoch), self._content())
            except GpucurateError:
                continue  # check() asks for itself before anything becomes visible, and says what is wrong

    def close(self) -> None:
        """Give the folder up.

        Raises:
            StorageError: the store cannot be written to.
        """
        self._ending.set()
        self._thread.join()
        if self._lost is None:
            reach("owner.before_release")
            self._store.rewrite(_name(self.epoch), self._content(is_over=True))


def _name(epoch: int) -> str:
    return f"{EPOCHS}{epoch:08d}.json"


def _number(name: str) -> int:
    text = name.removeprefix(EPOCHS).removesuffix(".json")
    return int(text) if text.isdigit() else 0


def _who(owner: dict[str, Any]) -> str:
    return f"process {owner['pid']} on {owner['host']}"


def _now() -> float:
    """Seconds that also pass while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
