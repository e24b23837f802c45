"""Outputs in a store, and the run folder on a disk of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

from gpucurate.checkpoint.object_store import ObjectStore, is_of_state
from gpucurate.checkpoint.store import FOLDER, LocalStore, Store
from gpucurate.spec.unit import OutputFile


class SplitStore(Store):
    """Names beneath ``_gpucurate/`` go to one store, all others to another.

    Args:
        outputs: for what the run writes.
        state: for what it knows.
    """

    def __init__(self, outputs: ObjectStore, state: LocalStore) -> None:
        self.shown = outputs.shown
        self.outputs = outputs
        self.state = state

    def _of(self, name: str) -> Store:
        return self.state if is_of_state(name) else self.outputs

    def size(self, name: str) -> int | None:
        """Bytes of a file."""
        return self._of(name).size(name)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return self._of(name).open(name)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        self._of(name).write(name, content)

    def later(self, call: Callable[[], None]) -> None:
        """As the run folder has it done."""
        self.state.later(call)

    def write_later(self, name: str, content: bytes) -> None:
        """Write a small file, as its store does."""
        self._of(name).write_later(name, content)

    def settle(self) -> None:
        """Wait for the run folder."""
        self.state.settle()

    def create(self, name: str, content: bytes) -> bool:
        """Write a small file if there is none of the name."""
        return self._of(name).create(name, content)

    def entries(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """The files of both."""
        inner = prefix if is_of_state(prefix) else f"{FOLDER}/"
        if inner.startswith(prefix):
            yield from self.state.entries(inner)
        if not is_of_state(prefix):
            yield from self.outputs.entries(prefix)

    def contents(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Of small files, which are those of the run folder or of the outputs."""
        yield from self._of(prefix).contents(prefix)

    def content(self, name: str) -> bytes | None:
        """All of a small file."""
        return self._of(name).content(name)

    def refresh(self) -> None:
        """Forget what was learned of outputs."""
        self.outputs.refresh()

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._of(name).remove(name)

    def remove_all(self, names: Iterable[str]) -> None:
        """Remove files, each from its store."""
        listed = list(names)
        self.outputs.remove_all(name for name in listed if not is_of_state(name))
        self.state.remove_all(name for name in listed if is_of_state(name))

    def publish(self, outputs: Sequence[OutputFile]) -> None:
        """Give attempts their names, each in its store."""
        self.settle()
        self.outputs.publish([output for output in outputs if not is_of_state(output.name)])
        self.state.publish([output for output in outputs if is_of_state(output.name)])
