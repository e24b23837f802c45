"""What a run is, in ``run.json``: its kind, what decides its results, its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from gpucurate.checkpoint.changes import differences, input_changes
from gpucurate.checkpoint.listing_file import (
    EncodedListing,
    Facts,
    encode_listing,
    entries,
    listing_name,
    read_listing,
)
from gpucurate.checkpoint.resume import ADVICE, Mode
from gpucurate.disk.crash import reach
from gpucurate.spec.errors import OutputInUseError
from gpucurate.spec.unit import Unit

if TYPE_CHECKING:
    from gpucurate.checkpoint.run_folder import RunFolder

FORMAT_VERSION = 2
"""Raised when the layout of the run folder changes. In format 1 each phase had a listing of its own, and
files of keys and rejects were named by the position of their unit."""


class Identity:
    """What a run folder is for.

    Args:
        folder: the run folder, which this process owns.
        mode: what is done about differences.
        kind: of run, in words.
        decides: everything that changes results.
        marks: what tells the run from those to other outputs, where the folder lies elsewhere.

    Raises:
        OutputInUseError: the folder is of another run, or of a newer version.
    """

    def __init__(
        self,
        folder: RunFolder,
        mode: Mode,
        kind: str,
        decides: Mapping[str, Any],
        marks: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._mode = mode
        self._is_known = False
        # What was done says nothing of another output, so that marks are compared too.
        given = {"kind": kind, "decides": orjson.loads(orjson.dumps(dict(decides))), **marks}
        before = folder.read_json("run.json")
        self._values: dict[str, Any] = before or {"format": FORMAT_VERSION, **given}
        if before is None and marks:  # what shows whose a folder is that was given has to come first
            folder.write_json("run.json", self._values)
        elif before is None:
            self._write()
        else:
            self._compare(before, given)

    @property
    def decides(self) -> Mapping[str, Any]:
        """Everything that changes results, but the input."""
        decides: Mapping[str, Any] = self._values["decides"]
        return decides

    def adopt(self, units: Sequence[Unit], phase: str) -> None:
        """Compare the input, which the first phase reads all of, with that of the earlier run; store it.

        Raises:
            OutputInUseError: it is another one, and changes were not asked for.
            StorageError: it cannot be stored.
        """
        if self._is_known:
            return
        listing = encode_listing(units)
        stored = self._values.get("input")
        if stored is None or stored["digest"] != listing.digest:
            self._change(self._before(phase), units)
            if not self._folder.is_finished:  # else it is of format 1, and nothing is left to do
                self._store(listing)
        else:
            self._keep_whole(listing)
            self._forget_replaced()
        self._is_known = True

    def _compare(self, before: dict[str, Any], given: dict[str, Any]) -> None:
        check_format(before, str(self._folder.path))
        found = differences({key: before.get(key) for key in given} | _extra(before), given)
        if not found:
            return
        is_other = before["kind"] != given["kind"] or before.get("output") != given.get("output")
        if self._mode != "changed" or is_other:
            advice = "Give another output, or --fresh to begin anew" if is_other else ADVICE
            raise OutputInUseError(
                f"{self._folder.path} holds another run, which differs in {'; '.join(found)}. {advice}"
            )
        self._folder.reopen()
        self._values = {**before, **given}
        self._write()

    def _change(self, before: Mapping[str, Facts] | None, units: Sequence[Unit]) -> None:
        """Refuse another input, unless that is what was asked for."""
        if before is None:
            return
        now = {name: tuple(facts) for name, *facts in entries(units)}
        if before == now and list(before) == list(now):
            return
        if self._mode != "changed":
            told = "; ".join(input_changes(before, now))
            raise OutputInUseError(f"{self._folder.output} was begun with another input: {told}. {ADVICE}")
        self._folder.reopen()

    def _before(self, phase: str) -> Mapping[str, Facts] | None:
        """The input of the earlier run; None if it had not come so far as to store it."""
        return stored_input(self._folder, self._values, phase)

    def _store(self, listing: EncodedListing) -> None:
        """First the listing, then who names it: whatever is interrupted, ``run.json`` names a whole one."""
        self._forget_replaced()
        earlier = self._values.get("input")
        self._folder.store.write_later(listing.name, listing.content)
        given = {"digest": listing.digest, "files": listing.files, "bytes": listing.total_bytes}
        if earlier is not None:
            given["replaces"] = earlier["digest"]
        self._values = {**self._values, "format": FORMAT_VERSION, "input": given}
        reach("input.before_name")
        self._write()
        reach("input.after_name")
        self._forget_replaced()

    def _keep_whole(self, listing: EncodedListing) -> None:
        """Write the listing again where it is gone or cut: it is known once more."""
        if self._folder.store.size(listing.name) != len(listing.content):
            self._folder.store.write_later(listing.name, listing.content)

    def _forget_replaced(self) -> None:
        """Remove the listing of another input, which ``run.json`` tells of until it is gone."""
        stored = self._values.get("input") or {}
        if "replaces" in stored:
            self._folder.store.remove(listing_name(stored["replaces"]))
            kept = {key: value for key, value in stored.items() if key != "replaces"}
            self._values = {**self._values, "input": kept}
            self._write()

    def _write(self) -> None:
        self._folder.write_json_later("run.json", self._values)


def stored_input(folder: RunFolder, run: Mapping[str, Any], phase: str) -> Mapping[str, Facts] | None:
    """The input that a run folder tells of; None if none was stored.

    Args:
        folder: the run folder.
        run: what ``run.json`` says.
        phase: the first of the run, which has the listing in format 1.

    Raises:
        StorageError: it cannot be read, or is damaged.
    """
    if "input" in run:
        return read_listing(folder.store, run["input"]["digest"])
    of_phase = folder.read_json(f"phases/{phase}.json") or {}
    inputs = of_phase.get("inputs")
    if inputs is None:
        return None
    return {name: tuple(facts) if isinstance(facts, list) else (facts,) for name, facts in inputs.items()}


def check_format(run: Mapping[str, Any], shown: str) -> None:
    """Refuse what a newer version wrote.

    Raises:
        OutputInUseError: it did.
    """
    version = run.get("format")
    if not isinstance(version, int) or not 1 <= version <= FORMAT_VERSION:
        raise OutputInUseError(
            f"{shown} has format {version!r}, and this version of gpucurate reads 1 to {FORMAT_VERSION}: "
            "go on with the version that wrote it, give --fresh to begin anew, or another output"
        )


def _extra(before: Mapping[str, Any]) -> dict[str, Any]:
    """What an earlier run says of itself that need not be given."""
    return {"output": before["output"]} if "output" in before else {}
