"""A run folder as those see it who do not own it: nothing is locked, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from gpucurate.checkpoint.identity import check_format
from gpucurate.checkpoint.ledger import Ledger
from gpucurate.checkpoint.listing_file import Facts, listing_name, read_listing
from gpucurate.checkpoint.records import stored_records
from gpucurate.checkpoint.state_files import parse_state
from gpucurate.checkpoint.store import FOLDER, LocalStore, Store
from gpucurate.spec.errors import InputError, StorageError
from gpucurate.spec.place import Url, place_of

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
        full = f"{FOLDER}/{name}"
        if self.store.size(full) is None:
            return None
        with self.store.open(full) as file:
            content = file.read()
        try:
            return parse_state(name, content)
        except ValueError as error:
            raise StorageError(f"{full} of {self.store.shown} is damaged ({error})") from error

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended well."""
        return self.store.size(f"{FOLDER}/_SUCCESS") is not None

    @cached_property
    def ledger(self) -> Ledger:
        """The records, as they were when first asked for."""
        return Ledger(stored_records(self.store))

    @cached_property
    def phases(self) -> dict[str, Mapping[str, Any]]:
        """What is stored of each phase that has begun: those with records in their order, then the others."""
        names = [name.rpartition("/")[2] for name, _ in self.store.entries(f"{FOLDER}/phases/")]
        begun = {name.removesuffix(".json") for name in names if name.endswith(".json") and name[0] != "."}
        order = [phase for phase in self.ledger.phases() if phase in begun]
        return {
            phase: self.read_json(f"phases/{phase}.json") for phase in [*order, *sorted(begun - {*order})]
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
            return read_listing(self.store, listing_name(self.run["input"]["digest"]))
        first = self.first_phase
        inputs = self.phases[first].get("inputs", {}) if first else {}  # format 1
        return {name: tuple(facts) if isinstance(facts, list) else (facts,) for name, facts in inputs.items()}


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
