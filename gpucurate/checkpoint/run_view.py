"""A run folder as those see it who do not own it: nothing is locked, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from gpucurate.checkpoint.identity import check_format
from gpucurate.checkpoint.ledger import Ledger
from gpucurate.checkpoint.listing_file import Facts, read_listing
from gpucurate.checkpoint.records import stored_records
from gpucurate.checkpoint.seal import SUCCESS
from gpucurate.checkpoint.state_files import parse_state
from gpucurate.checkpoint.store import FOLDER, LocalStore, Store
from gpucurate.spec.errors import InputError, StorageError
from gpucurate.spec.place import Url, place_of

REMOVE = "remove it, and give the command of the run again, which makes it anew"
"""What to do about a file that is as long as it was, and has other bytes."""

_PHASES = f"{FOLDER}/phases/"

FIRST = ("keys", "main", "write")
"""What the first phase of a run may be called, which reads all of the input."""


class RunView:
    """What is known of a run, going on or not.

    Args:
        store: of its output.

    Raises:
        InputError: there is no run.
        OutputInUseError: one of a newer version.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        run = self.read_json("run.json")
        if run is None:
            raise InputError(
                f"{store.shown} holds no run of gpucurate: name the output of one, and where its state lies "
                "elsewhere give --checkpoint-path too"
            )
        check_format(run, store.shown)
        self.run: Mapping[str, Any] = run

    def read_json(self, name: str) -> Any:
        """A small file of the run folder, or None.

        Raises:
            StorageError: it cannot be read, or is damaged.
        """
        return self._parsed(name, self.store.content(f"{FOLDER}/{name}"))

    def _parsed(self, name: str, content: bytes | None) -> Any:
        try:
            return None if content is None else parse_state(name, content)
        except ValueError as error:
            what = "give --fresh to begin anew" if name == "run.json" else REMOVE
            raise StorageError(
                f"{FOLDER}/{name} of {self.store.shown} is damaged ({error}): {what}"
            ) from error

    @cached_property
    def is_finished(self) -> bool:
        """Whether the run had ended well when this was first asked for."""
        success = f"{FOLDER}/{SUCCESS}"
        return any(name == success for name, _ in self.store.entries(success))

    @cached_property
    def seal(self) -> list[dict[str, Any]]:
        """What the run left in its folder when it ended; nothing by a version that kept no list.

        Raises:
            StorageError: the list is damaged.
        """
        content = self.store.content(f"{FOLDER}/{SUCCESS}")
        return list(self._parsed(SUCCESS, content)["files"]) if content else []

    def again(self) -> RunView:
        """The same run as it is now."""
        self.store.refresh()
        return RunView(self.store)

    @cached_property
    def ledger(self) -> Ledger:
        """The records, as they were when first asked for; what they tell of is there by then."""
        ledger = Ledger(stored_records(self.store))
        self.store.refresh()
        return ledger

    @cached_property
    def phases(self) -> dict[str, Mapping[str, Any]]:
        """What is stored of each phase that has begun: those with records in their order, then the others."""
        stored = dict(self.store.contents(_PHASES))
        begun = {_phase(name): name for name in stored if name.endswith(".json") and "/." not in name}
        order = [phase for phase in self.ledger.phases() if phase in begun]
        return {
            phase: self._parsed(f"phases/{phase}.json", stored[begun[phase]])
            for phase in [*order, *sorted(begun.keys() - {*order})]
        }

    @property
    def first_phase(self) -> str | None:
        """The phase that reads all of the input; None if it has not begun."""
        return next((phase for phase in FIRST if phase in self.phases), None)

    @property
    def quarantined(self) -> list[str]:
        """Names of the files that tell of units that were set aside."""
        return sorted(name for name, _ in self.store.entries(f"{FOLDER}/quarantine/"))

    def input(self) -> Mapping[str, Facts]:
        """The files of the input, by encoded name; none if they are not known yet.

        Raises:
            StorageError: the listing is damaged.
        """
        if "input" in self.run:
            return read_listing(self.store, self.run["input"]["digest"])
        first = self.first_phase
        inputs = self.phases[first].get("inputs", {}) if first else {}  # format 1
        return {name: tuple(facts) if isinstance(facts, list) else (facts,) for name, facts in inputs.items()}


def _phase(name: str) -> str:
    """The phase of a plan's file."""
    return name.removeprefix(_PHASES).removesuffix(".json")


def _store_of(output: Url, checkpoint_path: str | PathLike[str] | None) -> Store:
    from gpucurate.checkpoint.split_store import SplitStore
    from gpucurate.checkpoint.stores import store_of

    if checkpoint_path is None:
        return store_of(output, None)
    state = Path(checkpoint_path)
    return SplitStore(store_of(output, None), LocalStore(state, state))


def view_run(output: str | PathLike[str], checkpoint_path: str | PathLike[str] | None = None) -> RunView:
    """The run whose output, or run folder within it, this is.

    Args:
        output: of the run, a folder or a URL.
        checkpoint_path: where its state lies, if not in the output.

    Raises:
        InputError: there is no run.
    """
    path = place_of(output)
    if isinstance(path, Url):
        return RunView(_store_of(path, checkpoint_path))
    if path.name == FOLDER and (path / "run.json").exists():
        path = path.resolve().parent
    state = path / FOLDER if checkpoint_path is None else Path(checkpoint_path)
    return RunView(LocalStore(path, state))
