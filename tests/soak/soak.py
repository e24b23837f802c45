"""The same run again and again in one process: does anything grow, or stay behind?

    python -m tests.soak.soak --minutes 30 [--megabytes 60] [--executor local] [--output soak.json]

Fuzzy deduplication and a pipeline of several segments take turns over one corpus. Memory is looked at after
each round: of the driver, and what its workers held at the most per unit. Ends with 1 if the slope of the
driver's memory is surely above the limit, or if files, processes or shared memory stay behind.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from gpucurate import InlineExecutor, LocalExecutor, Pipeline
from gpucurate.backends.session import SHARED
from gpucurate.scheduling.trend import Trend, trend_of
from gpucurate.spec.errors import InterruptedRunError
from gpucurate.spec.figures import Figures
from gpucurate.spec.progress import Silent
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.chaos.stages import Moody

LIMIT_MB_PER_HOUR = 1.0
WARM_UP_SHARE = 0.25
"""The first part of the rounds is not looked at: imports, compiled kernels and pools come with them."""


@dataclass
class Soak:
    """What was seen after each round.

    Attributes:
        seconds: since the start.
        driver: bytes of memory of this process.
        workers: bytes that a worker held at the most.
        files: that this process has open.
        left: processes, shared memory and temporary files that stayed behind.
    """

    seconds: list[float] = field(default_factory=list)
    driver: list[int] = field(default_factory=list)
    workers: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class _Ear(Silent):
    """Notes what workers held."""

    def __init__(self) -> None:
        self.largest = 0

    def unit_committed(self, result: Any, input_bytes: int) -> None:
        """A unit is final."""
        figures: Figures = result.figures
        self.largest = max(self.largest, figures.memory)


def write_pages(path: Path, nbytes: int) -> None:
    """JSON lines of random words; every third document is nearly the one before."""
    rng, words = random.Random(0), [f"word{i}" for i in range(20_000)]
    text: list[str] = []
    with path.open("w") as file:
        while file.tell() < nbytes:
            if len(text) < 2 or rng.random() < 2 / 3:
                text = rng.choices(words, k=rng.randint(50, 800))
            else:
                text[rng.randrange(len(text))] = rng.choice(words)
            file.write(json.dumps({"id": file.tell(), "text": " ".join(text)}) + "\n")


def soak(minutes: float, source: Path, folder: Path, executor: str, leak: int = 0) -> Soak:
    """Run rounds for so long; at least two.

    Args:
        minutes: how long.
        source: a file of JSON lines.
        folder: for outputs, which are removed after each round.
        executor: ``local`` or ``inline``.
        leak: bytes that each round leaves behind in this process, to see that it is found.

    Raises:
        InterruptedRunError: a signal came before there were two; after that it ends the last.
    """
    seen, began = Soak(), time.monotonic()
    others = {child.pid for child in psutil.Process().children(recursive=True)}  # of whoever calls this
    leaked: list[bytes] = []
    while len(seen.seconds) < 2 or time.monotonic() - began < minutes * 60:
        ear = _Ear()
        try:
            _round(source, folder, executor, ear)
        except InterruptedRunError:
            if len(seen.seconds) < 2:
                raise
            break  # what was seen until now is told
        leaked.append(b"x" * leak)
        gc.collect()
        process = psutil.Process()
        seen.seconds.append(time.monotonic() - began)
        seen.driver.append(process.memory_info().rss)
        seen.workers.append(ear.largest)
        seen.files.append(process.num_fds())
        seen.left += _left_behind(folder, others)
    return seen


def _round(source: Path, folder: Path, executor: str, ear: _Ear) -> None:
    for number in range(2):
        output = folder / f"output-{number}"
        config = {"fuse": number == 0}
        ours = LocalExecutor(2, config=config) if executor == "local" else InlineExecutor()
        if number == 0:
            work = FuzzyDeduplicationWorkflow(source, output, input_blocksize="4MB")
            work.run(ours, ear)
        else:
            reader = JsonlReader(source, blocksize="4MB")
            moods = folder / "moods"
            moods.mkdir()
            stages = [reader, Moody(moods, seconds=0.0), JsonlWriter(output)]
            Pipeline("soak", stages=stages).run(ours, observer=ear)
            shutil.rmtree(moods)
        ours.close()
        shutil.rmtree(output)


def _left_behind(folder: Path, others: set[int]) -> list[str]:
    children = psutil.Process().children(recursive=True)
    found = [f"process {p.pid} ({p.status()})" for p in children if p.pid not in others]
    for place in {SHARED, Path(tempfile.gettempdir())}:
        found += [str(path) for path in place.glob(f"*gpucurate-{os.getuid()}-{os.getpid()}-*")]
    return found + [str(path) for path in folder.iterdir() if path.name != "input"]


def slope_of(seen: Soak, values: list[int]) -> Trend | None:
    """Megabytes an hour, with a confidence of 95%; None of too few rounds."""
    first = int(len(values) * WARM_UP_SHARE)
    used = values[first:]
    trend = trend_of(used, 0.95)
    if trend is None:
        return None
    hours = (seen.seconds[-1] - seen.seconds[first]) / (len(used) - 1) / 3600
    scale = 1 / hours / 1e6
    return Trend(trend.slope * scale, trend.low * scale, trend.high * scale, 0.95, trend.rise, trend.fades)


def faults(seen: Soak, limit: float = LIMIT_MB_PER_HOUR) -> list[str]:
    """What is wrong, in sentences."""
    wrong = [f"stayed behind: {each}" for each in seen.left]
    if seen.files[-1] > seen.files[1]:
        wrong.append(f"{seen.files[1]} open files after the second round, {seen.files[-1]} after the last")
    for name, values in (("driver", seen.driver), ("workers", seen.workers)):
        slope = slope_of(seen, values)
        if slope is not None and slope.low > limit:
            wrong.append(f"memory of the {name} grows by {_told(slope)}, and {limit:g} MB/h are allowed")
    return wrong


def _told(slope: Trend | None) -> str:
    if slope is None:
        return "not known: too few rounds"
    return f"{slope.slope:+.2f} MB/h (95% confidence: {slope.low:+.2f} to {slope.high:+.2f})"


def table(seen: Soak, executor: str) -> str:
    """What was seen, as a Markdown table."""
    lines = [
        f"{executor}: {len(seen.seconds)} rounds in {seen.seconds[-1] / 60:.1f} minutes",
        "",
        "| | first | last | slope after warm-up |",
        "| --- | --- | --- | --- |",
    ]
    for name, values in (("memory of the driver", seen.driver), ("most memory of a worker", seen.workers)):
        slope = _told(slope_of(seen, values))
        lines.append(f"| {name} | {values[0] / 1e6:.1f} MB | {values[-1] / 1e6:.1f} MB | {slope} |")
    lines.append(f"| open files of the driver | {seen.files[0]} | {seen.files[-1]} | |")
    lines.append(f"| processes, shared memory, files left | | {len(seen.left)} | |")
    return "\n".join(lines)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("SOAK_MINUTES", "30")))
    parser.add_argument("--megabytes", type=float, default=60.0)
    parser.add_argument("--executor", choices=("local", "inline"), default="local")
    parser.add_argument("--limit", type=float, default=LIMIT_MB_PER_HOUR, help="MB/h of the driver")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gpucurate-soak-") as name:
        folder = Path(name)
        source = folder / "input" / "pages.jsonl"
        source.parent.mkdir()
        write_pages(source, round(options.megabytes * 1e6))
        seen = soak(options.minutes, source, folder, options.executor)
    print(table(seen, options.executor))
    wrong = faults(seen, options.limit)
    print("\n".join(wrong) or "nothing grows, nothing stays behind")
    if options.output is not None:
        slopes = {n: slope_of(seen, v) for n, v in (("driver", seen.driver), ("workers", seen.workers))}
        told = {**asdict(seen), "slopes": {n: s and asdict(s) for n, s in slopes.items()}, "faults": wrong}
        options.output.write_text(json.dumps(told, indent=2))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
