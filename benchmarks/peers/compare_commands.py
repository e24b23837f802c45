"""Whole programs, JSONL on disk to JSONL on disk, on the same cores: deduplication by MinHash, and exact."""

from __future__ import annotations

import shutil
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import measure
from benchmarks.peers.compare_sketches import last_line
from benchmarks.peers.contests import NEMO_CURATOR, Contest
from benchmarks.peers.environments import Environment
from benchmarks.peers.processes import pinned
from benchmarks.peers.tables import figure, table
from benchmarks.peers.texts import corpus_bytes
from gpucurate.spec.bytesize import format_bytes

HEAD = (
    *("", "corpus", "seconds", "processor seconds", "MB/s", "peak memory", "kept"),
    *("ours, processor seconds", "ours, MB/s", "ratio", "ours, peak memory", "ours, kept"),
    *("ours on {}, MB/s", "ratio"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """Medians of one program over one corpus, or why there are none.

    Attributes:
        seconds: of wall time, start and end of the process included.
        cpu: seconds of processor time, of all its processes.
        peak: bytes of proportional set size of the process tree.
        kept: lines written.
        nbytes: of the corpus.
        failure: what it said when it failed.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    peak: int = 0
    kept: int = 0
    nbytes: int = 0
    failure: str = ""

    @property
    def rate(self) -> float:
        """Megabytes of JSONL a second."""
        return self.nbytes / self.seconds / 1e6


class Commands:
    """Runs programs over corpora; ours once for each of its commands and corpora."""

    def __init__(self, corpora: dict[str, Path], folder: Path, cores: list[int], runs: int) -> None:
        self.corpora, self.folder, self.cores, self.runs = corpora, folder, cores, runs
        self._ours: dict[tuple[tuple[str, ...], str], Run] = {}

    def warm_up(self, contests: tuple[Contest, ...]) -> None:
        """Run our commands once for nothing, so that none is timed while kernels compile."""
        for arguments in dict.fromkeys(contest.ours for contest in contests):
            self._run_ours(arguments, "small")

    def ours(self, arguments: tuple[str, ...], size: str) -> Run:
        """gpucurate's command over a corpus."""
        if (arguments, size) not in self._ours:
            self._ours[arguments, size] = self._run_ours(arguments, size)
        return self._ours[arguments, size]

    def _run_ours(self, arguments: tuple[str, ...], size: str) -> Run:
        options = [*arguments, self.corpora[size], "--quiet", "--output"]
        return self._run(pinned(self.cores, sys.executable, "gpucurate", *options), [], size)

    def theirs(self, contest: Contest, peer: Environment) -> Run:
        """A peer's program over the corpus it can take."""
        if peer.python is None:
            return Run(failure=f"not installed: {peer.reason}")
        command = pinned(self.cores, peer.python, contest.module, self.corpora[contest.size])
        arguments = [part.format(cores=len(self.cores)) for part in contest.arguments]
        try:
            return self._run(command, arguments, contest.size)
        except RuntimeError as error:
            return Run(failure=f"failed: {last_line(str(error))}")

    def _run(self, before: list[str], after: list[str], size: str) -> Run:
        target = self.folder / "output"
        measured, kept = [], 0
        for _ in range(self.runs):
            _remove(target)
            measured.append(measure([*before, str(target), *after]))
            kept = _count_lines(target)
        _remove(target)
        seconds = statistics.median(m.seconds for m in measured)
        cpu = statistics.median(m.cpu_seconds for m in measured)
        peak = int(statistics.median(m.peak_pss for m in measured))
        return Run(seconds, cpu, peak, kept, corpus_bytes(self.corpora[size]))

    def table(self, contests: tuple[Contest, ...], environments: dict[str, Environment]) -> str:
        """One row a peer's program: its rate, ours on the same corpus and on the large one, ratios."""
        large = format_bytes(corpus_bytes(self.corpora["large"]))
        rows = [self._row(contest, environments[contest.peer]) for contest in contests]
        rows.append([NEMO_CURATOR, *[""] * (len(HEAD) - 1)])
        return table([cell.format(large) for cell in HEAD], rows)

    def _row(self, contest: Contest, peer: Environment) -> list[str]:
        title = f"{peer.title}, {contest.title}"
        theirs, same = self.theirs(contest, peer), self.ours(contest.ours, contest.size)
        large = self.ours(contest.ours, "large")
        corpus = format_bytes(same.nbytes)
        ratios = ["", ""]
        if theirs.failure:
            cells = [theirs.failure, *[""] * 4]
        else:
            ratios = [figure(ours.rate / theirs.rate) for ours in (same, large)]
            cells = [f"{theirs.seconds:.1f}", f"{theirs.cpu:.1f}", figure(theirs.rate), *_rest(theirs)]
        ours = [f"{same.cpu:.1f}", figure(same.rate), ratios[0], *_rest(same), figure(large.rate), ratios[1]]
        return [title, corpus, *cells, *ours]


def _rest(run: Run) -> list[str]:
    return [format_bytes(run.peak), f"{run.kept:,}"]


def remarks(contests: tuple[Contest, ...], environments: dict[str, Environment]) -> str:
    """What each program does otherwise."""
    rows = [[f"{environments[c.peer].title}, {c.title}", " ".join(c.ours), c.remark] for c in contests]
    return table(["", "ours beside it", "what it does"], rows)


def _count_lines(target: Path) -> int:
    files = sorted(target.glob("*.jsonl")) if target.is_dir() else [target]
    total = 0
    for path in files:
        with path.open("rb") as file:
            total += sum(1 for _ in file)
    return total


def _remove(target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
