"""What a run of the benchmark measures, and with how much of everything."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes and places, the same for all sections.

    Attributes:
        folder: where the corpus and outputs lie: a file system in memory.
        corpus_bytes: JSONL that goes end to end.
        part_bytes: JSONL of a file of it.
        column_bytes: text on the device, for kernels.
        lines_bytes: JSONL on the device, for kernels.
        reader_bytes: of files that readers read.
        pairs: keys that are grouped.
        repeats: runs of a measurement; the median counts.
        seconds: after which no further run of a measurement begins.
        command_seconds: most seconds of a command, end to end.
        workers: processes of the CPU path.
        busy_work: loops of the arithmetic ceilings.
        ceilings: what was measured of them before, by name.
    """

    folder: Path
    corpus_bytes: int = 8_000_000_000
    part_bytes: int = 64_000_000
    column_bytes: int = 1_000_000_000
    lines_bytes: int = 500_000_000
    reader_bytes: int = 1_000_000_000
    pairs: int = 1 << 27
    repeats: int = 9
    seconds: float = 1.5
    command_seconds: float = 60.0
    workers: int = 16
    busy_work: int = 2000
    ceilings: dict[str, float] = field(default_factory=dict)

    @property
    def corpus(self) -> Path:
        """Folder of the corpus: ``jsonl`` and ``parquet`` in it."""
        return self.folder / "corpus"

    def to_json(self) -> str:
        """For another process."""
        return json.dumps({**asdict(self), "folder": str(self.folder)})

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """What ``to_json`` gave."""
        values = json.loads(text)
        return cls(**{**values, "folder": Path(values["folder"])})


def smoke_plan(folder: Path) -> Plan:
    """The smallest sizes with which everything still runs: for the emulator, where times mean nothing."""
    return Plan(
        folder=folder,
        corpus_bytes=120_000,
        part_bytes=60_000,
        column_bytes=20_000,
        lines_bytes=30_000,
        reader_bytes=60_000,
        pairs=1 << 12,
        repeats=1,
        seconds=0.0,
        command_seconds=240.0,
        workers=2,
        busy_work=2,
    )
