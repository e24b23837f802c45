"""gpucurate's command without what makes a run durable, for comparison only: a kill would lose its output.

    python -m benchmarks.overhead.bare dedup exact INPUT -o OUTPUT

Records of finished units stay in memory. With ``libnosync.so`` preloaded (:func:`library`) nothing is synced
either, in no process. Outputs still get a temporary name and then their final one.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from gpucurate.checkpoint.log import CommitLog
from gpucurate.cli.app import main as command

SOURCE = Path(__file__).with_name("nosync.c")


def library(folder: Path) -> Path:
    """``nosync.c`` compiled.

    Raises:
        subprocess.CalledProcessError: there is no compiler, or it failed.
    """
    path = folder / "libnosync.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(path), str(SOURCE)], check=True)
    return path


def append(log: CommitLog, record: dict[str, Any]) -> None:
    """Keep a record in memory."""
    log.records.append(record)


def main() -> None:
    """Run the command."""
    CommitLog.append = append  # type: ignore[method-assign]
    command()


if __name__ == "__main__":
    main()
