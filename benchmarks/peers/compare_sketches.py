"""Text to band keys or signatures on one core: K=128, 5-grams of characters and of words."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.environments import Environment
from benchmarks.peers.processes import pinned
from benchmarks.peers.tables import figure, rate, table

MODULES = {
    "datasketch": "sketch_datasketch",
    "rensa": "sketch_rensa",
    "datatrove": "sketch_datatrove",
    "text-dedup": "sketch_textdedup",
}
OURS = "gpucurate"
OURS_FROM_BUFFERS = "band_keys, Arrow buffers"


@dataclass(frozen=True, slots=True)
class Case:
    """A text and what is done with it."""

    text: str
    shingle: str
    normalize: bool = False

    @property
    def title(self) -> str:
        """Head of the column."""
        return self.text + (", normalised" if self.normalize else "")

    @property
    def options(self) -> list[str]:
        """Arguments of the sketching modules."""
        return ["--shingle", self.shingle, *(["--normalize"] if self.normalize else [])]


@dataclass(slots=True)
class Measured:
    """One way to sketch and its rates, megabytes a second of processor time, by case.

    Attributes:
        peer: whose it is, with its version.
        name: of the calls.
        remark: what of it is unlike the others.
        full_set: whether every shingle counts.
        by_hand: whether the user makes shingles or hashes with numpy.
        rates: of each case, of each pass.
    """

    peer: str
    name: str
    remark: str
    full_set: bool
    by_hand: bool
    rates: dict[Case, list[float]] = field(default_factory=dict)

    def rate(self, case: Case) -> float | None:
        """Median of a case, None where it was not measured."""
        return statistics.median(self.rates[case]) if case in self.rates else None


def cases(texts: list[str]) -> list[Case]:
    """Characters on every text, words on ASCII; ASCII also normalised."""
    ascii_text, *others = texts
    return [
        *(
            Case(ascii_text, shingle, normalize)
            for shingle in ("char", "word")
            for normalize in (False, True)
        ),
        *(Case(other, "char") for other in others),
    ]


class Sketches:
    """Collects what the sketching modules print."""

    def __init__(self, texts: dict[str, Path], core: int, seconds: float) -> None:
        self.texts, self.core, self.seconds = texts, core, seconds
        self.measured: dict[tuple[str, str], Measured] = {}
        self.failed: list[str] = []

    def run(self, case: Case, environments: list[Environment]) -> None:
        """Measure one case: ours, the peers, and ours again, since the machine may have changed."""
        self._measure(case, OURS, sys.executable, "sketch_gpucurate")
        for peer in environments:
            if peer.python:
                self._measure(case, peer.title, peer.python, MODULES[peer.name])
        self._measure(case, OURS, sys.executable, "sketch_gpucurate")

    def _measure(self, case: Case, peer: str, python: Path | str, module: str) -> None:
        arguments = [self.texts[case.text], *case.options, "--seconds", self.seconds]
        command = pinned([self.core], python, f"benchmarks.peers.{module}", *arguments)
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            self.failed.append(f"{peer}, {case.title}, {case.shingle}: {last_line(done.stderr)}")
        for found in parse(peer, case, done.stdout):
            known = self.measured.setdefault((peer, found.name), found)
            if known is not found:
                known.rates.setdefault(case, []).extend(found.rates[case])

    def table(self, chosen: list[Case]) -> str:
        """Rates by case; beside those of peers, how many times ours is as fast, both from Python strings."""
        ours = next(m for m in self.measured.values() if m.peer == OURS)
        rows = [
            [m.peer, m.name, _set_title(m), *(_cell(m, ours, case) for case in chosen)]
            for m in self.measured.values()
            if any(case in m.rates for case in chosen)
        ]
        return table(["", "calls", "shingles", *(case.title for case in chosen)], rows)

    def fastest(self, case: Case) -> Iterator[str]:
        """Our rate beside those of the fastest full-set peers: by its own means, and with numpy's help."""
        ours = next(m for m in self.measured.values() if m.name == OURS_FROM_BUFFERS).rate(case)
        for by_hand, means in ((False, "alone"), (True, "with shingles or hashes made by numpy")):
            found = [
                m for m in self.measured.values() if m.peer != OURS and m.full_set and m.by_hand == by_hand
            ]
            rates = {f"{m.peer} {m.name}": r for m in found if (r := m.rate(case))}
            if rates and ours:
                best = max(rates, key=lambda name: rates[name])
                peer = f"the fastest full-set peer {means}: {best}, {figure(rates[best])} MB/s"
                yield (
                    f"- {case.shingle}-5, {case.title}: {figure(ours)} MB/s from Arrow buffers; "
                    f"{peer}, ratio {figure(ours / rates[best])}"
                )

    def remarks(self) -> str:
        """What each way does that others do not."""
        rows = [[m.peer, m.name, m.remark] for m in self.measured.values()]
        return table(["", "calls", "what it does"], rows)


def parse(peer: str, case: Case, output: str) -> list[Measured]:
    """What a sketching module printed of a case, one line of JSON a way to sketch."""
    return [
        Measured(peer, line["name"], line["remark"], line["full_set"], line["by_hand"], {case: line["rates"]})
        for line in map(json.loads, output.splitlines())
    ]


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no message")


def _set_title(measured: Measured) -> str:
    if not measured.full_set:
        return "sampled"
    return "all, by numpy" if measured.by_hand else "all"


def _cell(measured: Measured, ours: Measured, case: Case) -> str:
    theirs, reference = measured.rate(case), ours.rate(case)
    if theirs is None or reference is None:
        return ""
    return figure(theirs) if measured.peer == OURS else rate(theirs, reference)
